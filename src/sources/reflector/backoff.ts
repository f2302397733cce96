import type { Clock } from '../../clock.ts';

export const BACKOFF_BASE_MS = 800;
export const BACKOFF_CAP_MS = 30_000;
/** After this long without trouble the next trouble starts from the beginning. */
export const BACKOFF_RESET_MS = 120_000;

/** Full jitter: anything between nothing and a bound that doubles with each failure. */
export class Backoff {
  readonly #clock: Clock;
  #failures = 0;
  #lastFailure = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait after one more failure; never less than `floorMs`, the server's own wish. */
  next(floorMs = 0): number {
    const now = this.#clock.monotonic();
    if (now - this.#lastFailure > BACKOFF_RESET_MS) this.#failures = 0;
    this.#lastFailure = now;
    const bound = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.max(floorMs, Math.floor(this.#clock.random() * bound));
  }

  reset(): void {
    this.#failures = 0;
  }
}
