import { APPLY, apply as serverSideApply } from './apply.ts';
import { isObject, text, valueAt, type Json, type JsonObject } from './json.ts';
import type { ApiObject, NewObject } from './object.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patch.ts';
import type { ApiRequest } from './request.ts';
import { groupVersion, resourceKey, type ApiResource } from './resources.ts';
import { ApiError, badRequest, invalidField, methodNotAllowed, notFound, unsupportedMediaType } from './status.ts';
import { isNewObject, type Store } from './store.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

/** A write as it came in. */
export interface WriteRequest {
  readonly store: Store;
  readonly resource: ApiResource;
  readonly request: ApiRequest;
  readonly body: Json | undefined;
  readonly contentType: string;
}

export function create({ store, resource, request, body }: WriteRequest): ApiObject {
  const input = objectFrom(body, resource, request.namespace);
  if (resource.namespaced && !store.get('namespaces', '', request.namespace)) {
    throw new ApiError(notFound({ group: '', plural: 'namespaces' }, request.namespace));
  }
  return isDryRun(request) ? store.prepare(resource, input) : store.create(input);
}

export function update(write: WriteRequest): JsonObject {
  const { store, resource, request, body } = write;
  const current = store.require(resource, request.namespace, request.name);
  if (request.subresource === 'scale') return rescale(write, current, body);
  return commit(write, current, objectFrom(body, resource, request.namespace));
}

export function patch(write: WriteRequest): JsonObject {
  const { store, resource, request, body = {} } = write;
  if (mediaType(write) === APPLY && request.subresource === '') return serverSideApply(write);
  const current = store.require(resource, request.namespace, request.name);
  const apply = patcher(write);
  if (request.subresource === 'scale') return rescale(write, current, apply(scaleOf(current), body));
  const result = apply(current, body);
  return commit(write, current, objectFrom(result, resource, request.namespace));
}

/** Deletes one object. Answers its last state, or a Status of success when it is gone at once. */
export function remove({ store, resource, request, body }: WriteRequest): JsonObject {
  const options = isObject(body) ? body : {};
  const preconditions = isObject(options['preconditions']) ? options['preconditions'] : {};
  const current = store.require(resource, request.namespace, request.name);
  const given = options['gracePeriodSeconds'] ?? request.query.get('gracePeriodSeconds');
  const gracePeriodSeconds = given === null ? defaultGrace(resource, current) : Number(given);
  if (isDryRun(request)) return current;
  const uid = typeof preconditions['uid'] === 'string' ? { uid: preconditions['uid'] } : {};
  const resourceVersion = preconditions['resourceVersion'];
  const last = store.delete(resourceKey(resource), request.namespace, request.name, {
    ...uid,
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    gracePeriodSeconds,
  });
  // Pods answer with themselves; most others with a Status.
  if (resource.plural === 'pods' || last.metadata.deletionTimestamp !== undefined) return last;
  const group = resource.group === '' ? {} : { group: resource.group };
  const details = { name: request.name, ...group, kind: resource.plural, uid: last.metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function defaultGrace(resource: ApiResource, object: ApiObject): number {
  if (resource.plural !== 'pods' || resource.group !== '') return 0;
  const seconds = object.spec?.['terminationGracePeriodSeconds'];
  return typeof seconds === 'number' ? seconds : 30;
}

/** The Scale view of a workload. */
export function scaleOf(object: ApiObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: object.spec?.['replicas'] ?? 0 },
    status: { replicas: object.status?.['replicas'] ?? 0, ...selectorText(object) },
  };
}

/** Its selector, as `kubectl get -l` takes it. */
function selectorText(object: ApiObject): JsonObject {
  const labels = valueAt(object, 'spec', 'selector', 'matchLabels');
  if (!isObject(labels)) return {};
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${text(value)}`);
  return { selector: pairs.toSorted().join(',') };
}

function rescale(write: WriteRequest, current: ApiObject, scale: Json | undefined): JsonObject {
  const spec = isObject(scale) ? scale['spec'] : undefined;
  const replicas = isObject(spec) ? (spec['replicas'] ?? 0) : undefined;
  if (typeof replicas !== 'number' || replicas < 0) {
    const why = `Invalid value: ${JSON.stringify(replicas ?? null)}: must be greater than or equal to 0`;
    throw new ApiError(
      invalidField('Scale.autoscaling', current.metadata.name, 'spec.replicas', 'FieldValueInvalid', why),
    );
  }
  const metadata = isObject(scale) && isObject(scale['metadata']) ? scale['metadata'] : {};
  const resourceVersion = text(metadata['resourceVersion']) || current.metadata.resourceVersion;
  const next = { ...current, metadata: { ...current.metadata, resourceVersion }, spec: { ...current.spec, replicas } };
  return scaleOf(isDryRun(write.request) ? next : write.store.update(next));
}

/** A write to the object itself leaves its status alone, and a write to its status leaves the rest alone. */
function commit(write: WriteRequest, current: ApiObject, input: NewObject): ApiObject {
  const { store, resource, request } = write;
  if (request.subresource !== '' && request.subresource !== 'status') throw new ApiError(methodNotAllowed());
  const { status, ...rest } = input;
  const kept = resource.subresources.includes('status') ? current.status : status;
  const { resourceVersion } = input.metadata;
  const next: JsonObject =
    request.subresource === 'status'
      ? { ...current, metadata: { ...current.metadata, resourceVersion }, status: status ?? {} }
      : { ...rest, ...(kept === undefined ? {} : { status: kept }) };
  return isDryRun(request) ? store.merge(current, next as NewObject) : store.update(next as NewObject);
}

function mediaType({ contentType }: WriteRequest): string {
  return contentType.split(';')[0]?.trim() ?? '';
}

function patcher(write: WriteRequest): (target: JsonObject, patch: Json) => Json {
  const { resource } = write;
  const type = mediaType(write);
  if (type === MERGE) return mergePatch;
  if (type === JSON_PATCH) return jsonPatch;
  if (type === STRATEGIC && !resource.custom) return strategicMergePatch;
  throw new ApiError(unsupportedMediaType([JSON_PATCH, MERGE, ...(resource.custom ? [] : [STRATEGIC])]));
}

function objectFrom(body: Json | undefined, resource: ApiResource, namespace: string): NewObject {
  const input: JsonObject = isObject(body) ? { ...body } : {};
  input['apiVersion'] ??= groupVersion(resource);
  input['kind'] ??= resource.kind;
  if (!isNewObject(input))
    throw new ApiError(badRequest('the object provided is unrecognized (must be of type JSON with metadata)'));
  if (input.kind !== resource.kind || input.apiVersion !== groupVersion(resource)) {
    throw new ApiError(
      badRequest(`${input.kind} in version "${input.apiVersion}" cannot be handled as a ${resource.kind}`),
    );
  }
  const stated = input.metadata['namespace'];
  if (resource.namespaced && stated !== undefined && stated !== namespace) {
    throw new ApiError(
      badRequest('the namespace of the provided object does not match the namespace sent on the request'),
    );
  }
  return resource.namespaced ? { ...input, metadata: { ...input.metadata, namespace } } : input;
}

function isDryRun(request: ApiRequest): boolean {
  return request.query.get('dryRun') === 'All';
}
