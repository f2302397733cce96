import { isRecord, record } from './json.ts';

/** One place at which two states of an object differ. */
export interface Difference {
  /** A JSON pointer. */
  readonly path: string;
  /** Undefined: it was not there. */
  readonly before: unknown;
  /** Undefined: it will not be there. */
  readonly after: unknown;
}

/** What a server writes by itself, and what says nothing about what an object is to be. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'selfLink',
]);

/** The differences between two states, in order of their paths, without status and the server's bookkeeping; at most `limit`. */
export function manifestDiff(before: unknown, after: unknown, limit: number): Difference[] {
  const found: Difference[] = [];
  compare(essence(before), essence(after), '', found, limit);
  return found;
}

function essence(object: unknown): unknown {
  if (!isRecord(object)) return undefined;
  const { status: _, ...rest } = object;
  const metadata = Object.entries(record(object['metadata'])).filter(([name]) => !BOOKKEEPING.has(name));
  return { ...rest, metadata: Object.fromEntries(metadata) };
}

function compare(before: unknown, after: unknown, path: string, found: Difference[], limit: number): void {
  if (found.length >= limit || Object.is(before, after)) return;
  const keys = commonKeys(before, after);
  if (keys === undefined) {
    found.push({ path, before, after });
    return;
  }
  for (const key of keys) compare(at(before, key), at(after, key), `${path}/${escaped(key)}`, found, limit);
}

/** Undefined when the two are not both objects, or both lists. */
function commonKeys(before: unknown, after: unknown): readonly string[] | undefined {
  if (isRecord(before) && isRecord(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  if (!Array.isArray(before) || !Array.isArray(after)) return undefined;
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index.toString());
}

function at(value: unknown, key: string): unknown {
  return Object.hasOwn(value as object, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
