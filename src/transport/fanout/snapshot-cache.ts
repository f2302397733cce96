import type { Clock, Timer } from '../../clock.ts';
import type { Revision } from '../../pubsub/feed.ts';
import type { Frame } from './frame.ts';

interface Snapshot {
  readonly frame: Frame;
  readonly at: Revision;
}

/** A snapshot is not kept for longer than this, in milliseconds: it can be large, and a storm of joiners is short. */
const KEPT_MS = 2_000;
/** A snapshot that took its time is handed out for so many times that, though the set has moved on since. */
const REUSE = 10;
/** What is made faster than this, in milliseconds, is made anew each time. */
const QUICK_MS = 5;

/**
 * The last snapshot of a shape. Whoever gets one that is a little older is sent the changes since at once: in a storm
 * of joiners and changes, making a fresh one for each position would be all that gets done.
 */
export class SnapshotCache {
  readonly #clock: Clock;
  #kept: (Snapshot & { readonly until: number }) | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(now: Revision): Snapshot | undefined {
    const kept = this.#kept;
    if (kept?.at.epoch !== now.epoch) return undefined;
    return kept.at.offset === now.offset || this.#clock.monotonic() < kept.until ? kept : undefined;
  }

  keep(frame: Frame, at: Revision, tookMs: number): void {
    this.clear();
    const reuseMs = tookMs < QUICK_MS ? 0 : Math.min(KEPT_MS, tookMs * REUSE);
    this.#kept = { frame, at, until: this.#clock.monotonic() + reuseMs };
    this.#timer = this.#clock.after(KEPT_MS, () => this.clear());
  }

  clear(): void {
    this.#timer?.cancel();
    this.#kept = undefined;
  }
}
