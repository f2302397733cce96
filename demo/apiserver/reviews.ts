import { isObject, text, type JsonObject } from './json.ts';
import { isAllowed, rulesFor, type User } from './rbac.ts';
import type { ApiRequest } from './request.ts';
import { ApiError, invalidField } from './status.ts';
import type { Store } from './store.ts';

/** Questions about oneself: they are answered and never stored. Anybody may ask them. */
export const REVIEWS: Readonly<Record<string, { group: string; kind: string }>> = {
  selfsubjectaccessreviews: { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview' },
  selfsubjectrulesreviews: { group: 'authorization.k8s.io', kind: 'SelfSubjectRulesReview' },
  selfsubjectreviews: { group: 'authentication.k8s.io', kind: 'SelfSubjectReview' },
};

export function isReview(request: ApiRequest): boolean {
  const review = REVIEWS[request.resource];
  return review?.group === request.group && request.version === 'v1' && request.verb === 'create';
}

export function review(store: Store, user: User, request: ApiRequest, body: JsonObject): JsonObject {
  const known = REVIEWS[request.resource];
  const spec = isObject(body['spec']) ? body['spec'] : {};
  const head = { apiVersion: `${request.group}/v1`, kind: known?.kind ?? '', metadata: {}, spec };
  switch (request.resource) {
    case 'selfsubjectaccessreviews':
      return { ...head, status: accessReview(store, user, spec) };
    case 'selfsubjectrulesreviews':
      return { ...head, spec: {}, status: rulesReview(store, user, text(spec['namespace'])) };
    default:
      return {
        apiVersion: head.apiVersion,
        kind: head.kind,
        metadata: { creationTimestamp: store.timestamp() },
        status: { userInfo: { username: user.name, groups: [...user.groups] } },
      };
  }
}

function accessReview(store: Store, user: User, spec: JsonObject): JsonObject {
  const asked = spec['resourceAttributes'];
  if (!isObject(asked)) {
    if (isObject(spec['nonResourceAttributes'])) return { allowed: true };
    const why = 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw new ApiError(invalidField('.authorization.k8s.io', '', 'spec.resourceAttributes', 'FieldValueInvalid', why));
  }
  const allowed = isAllowed(store, user, {
    verb: text(asked['verb']),
    group: text(asked['group']),
    resource: text(asked['resource']),
    subresource: text(asked['subresource']),
    namespace: text(asked['namespace']),
    name: text(asked['name']),
  });
  return allowed ? { allowed, reason: 'RBAC: allowed' } : { allowed };
}

function rulesReview(store: Store, user: User, namespace: string): JsonObject {
  const resourceRules = rulesFor(store, user, namespace).map((rule) => ({ ...rule }));
  const nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['/api', '/apis', '/version', '/healthz'] }];
  return { resourceRules, nonResourceRules, incomplete: false };
}
