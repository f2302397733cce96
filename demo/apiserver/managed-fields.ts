import { isObject, type Json, type JsonObject } from './json.ts';

/** The `fieldsV1` of everything an object states: what a server-side apply of all of it would record. */
function fieldsOf(value: Json | undefined): JsonObject {
  const fields: JsonObject = {};
  if (Array.isArray(value)) {
    for (const item of value) {
      const key = isObject(item) ? listKey(item) : undefined;
      if (key !== undefined) fields[`k:${key}`] = { '.': {}, ...fieldsOf(item) };
    }
  } else if (isObject(value)) {
    for (const [name, part] of Object.entries(value)) fields[`f:${name}`] = fieldsOf(part);
  }
  return fields;
}

/** Lists of named or typed things are owned item by item, all others as a whole. */
function listKey(item: JsonObject): string | undefined {
  for (const key of ['name', 'type', 'uid', 'ip']) {
    if (typeof item[key] === 'string') return JSON.stringify({ [key]: item[key] });
  }
  return undefined;
}

/** One entry for who wrote the object, and one for the controller that reports its status. */
export function managedFields(object: JsonObject, apiVersion: string, time: string): JsonObject[] {
  const { status, metadata, ...rest } = object;
  const { labels, annotations } = isObject(metadata) ? metadata : {};
  const entry = { apiVersion, fieldsType: 'FieldsV1', time };
  const stated = fieldsOf({ metadata: { labels: labels ?? {}, annotations: annotations ?? {} }, ...rest });
  const entries: JsonObject[] = [
    { manager: 'kubectl-client-side-apply', operation: 'Update', ...entry, fieldsV1: stated },
  ];
  if (status !== undefined) {
    const reported = fieldsOf({ status });
    entries.push({ manager: 'kubelet', operation: 'Update', subresource: 'status', ...entry, fieldsV1: reported });
  }
  return entries;
}
