import { text } from './json.ts';

/** Kubernetes writes metav1.Time in whole seconds and metav1.MicroTime in microseconds, both as RFC 3339. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i;

/** Go's zero time, which stands for "none" where a field is not a pointer. */
const ZERO = Date.parse('0001-01-01T00:00:00Z');

/** An RFC 3339 time in milliseconds since 1970; undefined for anything else: null, '', Go's zero time, junk. */
export function milliseconds(value: unknown): number | undefined {
  const written = text(value);
  if (!RFC_3339.test(written)) return undefined;
  const time = Date.parse(written);
  return Number.isNaN(time) || time === ZERO ? undefined : time;
}

/** An RFC 3339 time in UTC, to the millisecond, without a fraction of zero; undefined for anything else. */
export function timestamp(value: unknown): string | undefined {
  const time = milliseconds(value);
  return time === undefined ? undefined : new Date(time).toISOString().replace('.000Z', 'Z');
}
