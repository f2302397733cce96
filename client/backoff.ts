/** How long to wait before the `attempt`th try in a row, the first being 1; in milliseconds. */
export type Backoff = (attempt: number) => number;

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const SHORTEST_MS = 100;

/** A random part of a time that doubles: when a server comes back, its clients do not come all at once. */
export const fullJitter: Backoff = (attempt) =>
  SHORTEST_MS + Math.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 20));
