import type { ApiObject } from './object.ts';

/** Parts that most versions of an object share; stored objects are immutable, so their text stays true. */
const texts = new WeakMap<object, string>();

function sharedText(part: object): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    texts.set(part, text);
  }
  return text;
}

let last: { object: ApiObject; text: string } | undefined;

/** The JSON of a stored object. One change goes to many watchers in a row, so the last text is kept. */
export function serialize(object: ApiObject): string {
  if (last?.object === object) return last.text;
  const text = serializePart(object);
  last = { object, text };
  return text;
}

/** The JSON of a stored object, or of what is left of one. */
export function serializePart(object: Pick<ApiObject, 'metadata' | 'spec'>): string {
  const { metadata, spec, ...rest } = object;
  const { managedFields, ...names } = metadata;
  const parts = [`"metadata":${JSON.stringify(names)}`];
  if (Array.isArray(managedFields)) {
    parts[0] = `"metadata":${JSON.stringify(names).slice(0, -1)},"managedFields":${sharedText(managedFields)}}`;
  }
  if (spec !== undefined) parts.push(`"spec":${sharedText(spec)}`);
  const others = JSON.stringify(rest).slice(1, -1);
  if (others !== '') parts.unshift(others);
  return `{${parts.join(',')}}`;
}

export function watchLine(type: string, object: ApiObject): string {
  return `{"type":"${type}","object":${serialize(object)}}\n`;
}
