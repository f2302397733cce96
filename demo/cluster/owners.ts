import { isObject, text, type JsonObject } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';

export function ownerReference(owner: ApiObject): JsonObject {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

/** The controlling owner of an object, if it is of this kind. */
export function ownerOf(object: ApiObject, kind: string): { name: string; uid: string } | undefined {
  const references = object.metadata['ownerReferences'];
  const found = Array.isArray(references)
    ? references.find((item) => isObject(item) && item['kind'] === kind)
    : undefined;
  return isObject(found) ? { name: text(found['name']), uid: text(found['uid']) } : undefined;
}

export function ownedBy(objects: readonly ApiObject[], owner: ApiObject): ApiObject[] {
  return objects.filter((object) => ownerOf(object, owner.kind)?.uid === owner.metadata.uid);
}

export function condition(
  type: string,
  isTrue: boolean | undefined,
  reason: string,
  message: string,
  now: string,
): JsonObject {
  const status = isTrue === undefined ? 'Unknown' : isTrue ? 'True' : 'False';
  return { type, status, reason, message, lastTransitionTime: now };
}

/** As the API conventions want it: the time of a condition moves only when its status does. */
export function keepTransitions(before: unknown, after: JsonObject[]): JsonObject[] {
  const old = Array.isArray(before) ? before.filter((item) => isObject(item)) : [];
  return after.map((item) => {
    const same = old.find((other) => other['type'] === item['type'] && other['status'] === item['status']);
    return same ? { ...item, lastTransitionTime: same['lastTransitionTime'] } : item;
  });
}

export function isReady(pod: ApiObject): boolean {
  const conditions = pod.status?.['conditions'];
  if (!Array.isArray(conditions) || pod.metadata.deletionTimestamp !== undefined) return false;
  return conditions.some((item) => isObject(item) && item['type'] === 'Ready' && item['status'] === 'True');
}

/** Counts for its owner: neither on its way out nor finished. */
export function isAlive(pod: ApiObject): boolean {
  const phase = pod.status?.['phase'];
  return pod.metadata.deletionTimestamp === undefined && phase !== 'Failed' && phase !== 'Succeeded';
}
