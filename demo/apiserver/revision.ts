/**
 * Just past 2^53: neighbouring versions become equal for anyone who converts them to Number,
 * so that mistake shows at once.
 */
export const FIRST_REVISION = 9_007_199_254_740_993n;

/** A resourceVersion of a request, or undefined where it is none. */
export function parseRevision(text: string): bigint | undefined {
  return /^(0|[1-9][0-9]{0,37})$/.test(text) ? BigInt(text) : undefined;
}
