/** An object read from JSON whose fields have not been looked at yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

const NO_FIELDS: JsonRecord = Object.freeze({});
const NO_ITEMS: readonly unknown[] = Object.freeze([]);

/** Whether `value` is a JSON object: neither null nor an array. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `value` as an object; {} when it is none. */
export function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : NO_FIELDS;
}

/** `value` as an array; [] when it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : NO_ITEMS;
}

/** The objects in the array `value`, in its order: anything else in it counts as {}, so that positions stay. */
export function records(value: unknown): readonly JsonRecord[] {
  const items = list(value);
  return items.every(isRecord) ? items : items.map(record);
}

/** `value` as a string; '' when it is none. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `value` as a string; undefined when it is none or ''. */
export function optionalText(value: unknown): string | undefined {
  return text(value) || undefined;
}

/** `value` as an integer that a double holds exactly; 0 when it is none. */
export function integer(value: unknown): number {
  return optionalInteger(value) ?? 0;
}

/** `value` as an integer that a double holds exactly; undefined when it is none. */
export function optionalInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
