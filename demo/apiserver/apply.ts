import { isObject, text, type Json, type JsonObject } from './json.ts';
import type { ApiObject, NewObject } from './object.ts';
import { mergePatch, strategicMergePatch } from './patch.ts';
import { groupVersion } from './resources.ts';
import { ApiError, badRequest } from './status.ts';
import { isNewObject } from './store.ts';
import type { WriteRequest } from './writes.ts';

export const APPLY = 'application/apply-patch+yaml';

/**
 * Server-side apply, as far as a preview needs it: fields are merged into what there is, or a new object is made, and
 * the manager is written down. Nobody's fields are ever taken away, and there are no conflicts: `force` is expected.
 */
export function apply({ store, resource, request, body }: WriteRequest): ApiObject {
  const manager = request.query.get('fieldManager') ?? '';
  if (manager === '') throw new ApiError(badRequest('fieldManager is required for apply patch'));
  const input = appliedObject(body, request.name, request.namespace, resource.namespaced);
  if (input.apiVersion !== groupVersion(resource) || input.kind !== resource.kind) {
    throw new ApiError(
      badRequest(`${input.kind} in version "${input.apiVersion}" cannot be handled as a ${resource.kind}`),
    );
  }
  const current = store.get(resource.plural, request.namespace, request.name);
  const isDryRun = request.query.get('dryRun') === 'All';
  if (current === undefined) {
    const created = {
      ...input,
      metadata: { ...input.metadata, managedFields: [entry(manager, input, store.timestamp())] },
    };
    return isDryRun ? store.prepare(resource, created) : store.create(created);
  }
  const merge = resource.custom ? mergePatch : strategicMergePatch;
  const merged = merge(current, input) as NewObject;
  const known = merged.metadata['managedFields'];
  const others = (Array.isArray(known) ? known : []).filter((each) => !isObject(each) || each['manager'] !== manager);
  const managedFields = [...others, entry(manager, input, store.timestamp())];
  const next = { ...store.merge(current, merged) };
  const whole = { ...next, metadata: { ...next.metadata, managedFields } };
  return isDryRun ? whole : store.update(whole);
}

function appliedObject(body: Json | undefined, name: string, namespace: string, namespaced: boolean): NewObject {
  if (!isNewObject(body)) throw new ApiError(badRequest('the object provided is unrecognized'));
  if (body.metadata['managedFields'] !== undefined)
    throw new ApiError(badRequest('metadata.managedFields must be nil'));
  if (text(body.metadata['name']) !== name)
    throw new ApiError(badRequest('the name of the object does not match the name on the URL'));
  return namespaced ? { ...body, metadata: { ...body.metadata, namespace } } : body;
}

function entry(manager: string, { apiVersion }: NewObject, time: string): JsonObject {
  return { manager, operation: 'Apply', apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: {} };
}
