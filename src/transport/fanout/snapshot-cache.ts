import type { Clock, Timer } from '../../clock.ts';
import type { Frame } from './frame.ts';
import type { Place } from './place.ts';

interface Snapshot {
  readonly frame: Frame;
  readonly at: Place;
}

/** A snapshot is not kept for longer than this, in milliseconds: it can be large, and a storm of joiners is short. */
const KEPT_MS = 2_000;
/** A snapshot of many objects is handed out for so long, in milliseconds an object, though the set has moved on since. */
const REUSE_MS_PER_OBJECT = 0.1;
/** One of fewer is made within a few milliseconds, and anew each time. */
const MANY = 500;

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

  get(now: Place): Snapshot | undefined {
    const kept = this.#kept;
    if (kept?.at.epoch !== now.epoch) return undefined;
    return kept.at.reading === now.reading || this.#clock.monotonic() < kept.until ? kept : undefined;
  }

  /** `objects`: how many are in it. */
  keep(frame: Frame, at: Place, objects: number): void {
    this.clear();
    const reuseMs = objects < MANY ? 0 : Math.min(KEPT_MS, objects * REUSE_MS_PER_OBJECT);
    this.#kept = { frame, at, until: this.#clock.monotonic() + reuseMs };
    this.#timer = this.#clock.after(KEPT_MS, () => this.clear());
  }

  clear(): void {
    this.#timer?.cancel();
    this.#kept = undefined;
  }
}
