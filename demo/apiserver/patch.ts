import { isObject, type Json, type JsonObject } from './json.ts';
import { ApiError, badRequest, unprocessable } from './status.ts';

/** JSON merge patch (RFC 7386). Untouched parts are shared with the original. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Lists that strategic merge patch merges by a key of their items; every other list is replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  conditions: 'type',
  ports: 'port',
};

/** Strategic merge patch, as far as labels, annotations, spec maps and the common keyed lists need it. */
export function strategicMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$') || value === undefined) continue;
    const current = result[key];
    const mergeKey = MERGE_KEYS[key];
    if (value === null) delete result[key];
    else if (mergeKey && Array.isArray(value) && Array.isArray(current)) {
      result[key] = mergeList(current, value, mergeKey);
    } else result[key] = strategicMergePatch(current, value);
  }
  return result;
}

function mergeList(current: Json[], patch: Json[], mergeKey: string): Json[] {
  const result = [...current];
  for (const item of patch) {
    const index = result.findIndex((other) => isObject(item) && isObject(other) && other[mergeKey] === item[mergeKey]);
    if (index === -1) result.push(item);
    else if (isObject(item) && item['$patch'] === 'delete') result.splice(index, 1);
    else result[index] = strategicMergePatch(result[index], item);
  }
  return result;
}

/** JSON patch (RFC 6902), with the API server's leniency: `replace` of a missing key is an `add` if its parent exists. */
export function jsonPatch(target: JsonObject, operations: Json): JsonObject {
  if (!Array.isArray(operations)) throw new ApiError(badRequest('a JSON patch is a list of operations'));
  const result = structuredClone(target);
  for (const operation of operations) {
    if (!isObject(operation)) throw new ApiError(badRequest('an operation of a JSON patch is an object'));
    applyOperation(result, operation);
  }
  return result;
}

function applyOperation(document: JsonObject, operation: JsonObject): void {
  const path = pointer(operation['path']);
  switch (operation['op']) {
    case 'add':
    case 'replace':
      setAt(document, path, operation['value'] ?? null, operation['op'] === 'add');
      return;
    case 'remove':
      removeAt(document, path);
      return;
    case 'test':
      if (JSON.stringify(getAt(document, path)) !== JSON.stringify(operation['value'])) {
        throw new ApiError(unprocessable());
      }
      return;
    case 'copy':
    case 'move': {
      const from = pointer(operation['from']);
      const value = structuredClone(getAt(document, from) ?? null);
      if (operation['op'] === 'move') removeAt(document, from);
      setAt(document, path, value, true);
      return;
    }
    default:
      throw new ApiError(badRequest(`unexpected kind of operation: ${JSON.stringify(operation['op'])}`));
  }
}

function pointer(path: Json | undefined): string[] {
  if (typeof path !== 'string' || !path.startsWith('/')) throw new ApiError(badRequest('a path starts with a slash'));
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function missing(): ApiError {
  return new ApiError(unprocessable());
}

function parentOf(document: JsonObject, path: string[]): JsonObject | Json[] {
  const parent = getAt(document, path.slice(0, -1));
  if (!isObject(parent) && !Array.isArray(parent)) throw missing();
  return parent;
}

function getAt(document: JsonObject, path: string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

function setAt(document: JsonObject, path: string[], value: Json, insert: boolean): void {
  const parent = parentOf(document, path);
  const key = path.at(-1) ?? '';
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === '-') parent.push(value);
  else parent.splice(Number(key), insert ? 0 : 1, value);
}

function removeAt(document: JsonObject, path: string[]): void {
  const parent = parentOf(document, path);
  const key = path.at(-1) ?? '';
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw missing();
}
