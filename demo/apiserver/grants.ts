import { createHash } from 'node:crypto';
import type { JsonObject } from './json.ts';
import type { ApiObject, NewObject } from './object.ts';
import type { Store } from './store.ts';

const RBAC = 'rbac.authorization.k8s.io';
/** Marks the bindings made here with the user they are for. */
const FOR_USER = 'demo.kascade/for-user';

/**
 * Gives a user rights: a Role and its binding in one namespace, or with namespace '' a ClusterRole for all of them.
 * Resources are written `pods`, `pods/log`, `deployments.apps` or `*`; without a group they mean any group.
 * A user without a colon is a GitLab user: `eve` is `gitlab:user:eve`.
 */
export function grant(
  store: Store,
  user: string,
  namespace: string,
  verbs: readonly string[],
  resources: readonly string[],
  resourceNames: readonly string[] = [],
): void {
  const { role, binding } = grantObjects(user, namespace, verbs, resources, resourceNames);
  const { name } = role.metadata;
  const [roles, bindings] = namespace === '' ? ['clusterroles', 'clusterrolebindings'] : ['roles', 'rolebindings'];
  if (!store.get(roles, namespace, name)) store.create(role);
  if (!store.get(bindings, namespace, name)) store.create(binding);
}

interface Granted extends NewObject {
  metadata: JsonObject & { name: string };
}

/** What `grant` writes. The same rights for the same user have the same names. */
export function grantObjects(
  user: string,
  namespace: string,
  verbs: readonly string[],
  resources: readonly string[],
  resourceNames: readonly string[] = [],
): { role: Granted; binding: Granted } {
  const rules = resources.map((resource) => ({
    ...ruleFor(resource, verbs),
    ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames] }),
  }));
  const subject = subjectOf(user);
  const digest = createHash('sha256')
    .update(JSON.stringify([subject, namespace, rules]))
    .digest('hex')
    .slice(0, 12);
  const prefix = namespace === '' ? 'Cluster' : '';
  const metadata = { name: `grant-${digest}`, ...(namespace === '' ? {} : { namespace }) };
  const head = { apiVersion: `${RBAC}/v1`, metadata };
  const role = { ...head, kind: `${prefix}Role`, rules };
  const binding = {
    ...head,
    kind: `${prefix}RoleBinding`,
    metadata: { ...metadata, annotations: { [FOR_USER]: subject } },
    subjects: [{ kind: 'User', apiGroup: RBAC, name: subject }],
    roleRef: { apiGroup: RBAC, kind: `${prefix}Role`, name: `grant-${digest}` },
  };
  return { role, binding };
}

/** Takes all rights given with `grant` away: in one namespace, cluster-wide (''), or, without a namespace, everywhere. */
export function revoke(store: Store, user: string, namespace?: string): void {
  const subject = subjectOf(user);
  const isFor = (binding: ApiObject) => binding.metadata.annotations?.[FOR_USER] === subject;
  const cluster = namespace === undefined || namespace === '' ? store.list('clusterrolebindings').filter(isFor) : [];
  const local = namespace === '' ? [] : store.list('rolebindings', namespace ?? '').filter(isFor);
  for (const binding of cluster) store.delete('clusterrolebindings', '', binding.metadata.name);
  for (const binding of local) store.delete('rolebindings', binding.metadata.namespace ?? '', binding.metadata.name);
}

function subjectOf(user: string): string {
  return user.includes(':') ? user : `gitlab:user:${user}`;
}

function ruleFor(resource: string, verbs: readonly string[]): JsonObject {
  const dot = resource.indexOf('.');
  const group = dot === -1 ? '*' : resource.slice(dot + 1).split('/')[0];
  const plural = dot === -1 ? resource : resource.slice(0, dot);
  return { verbs: [...verbs], apiGroups: [group ?? '*'], resources: [plural] };
}
