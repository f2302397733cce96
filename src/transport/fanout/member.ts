import type { Clock, Timer } from '../../clock.ts';
import type { Revision } from '../../pubsub/feed.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import type { Outlet } from './outlet.ts';

/** One subscription in a group: where its messages go, and how far it is while it is not where the others are. */
export class Member {
  readonly live: LiveUpdates;
  readonly outlet: Outlet;
  readonly hasRate: boolean;
  /** How far it is; undefined before its first message. */
  place: Revision | undefined;
  readonly #wake: () => void;
  readonly #stopListening: () => void;
  #isActive = true;
  #pause: Timer | undefined;

  constructor(live: LiveUpdates, outlet: Outlet, wake: () => void) {
    this.live = live;
    this.outlet = outlet;
    this.hasRate = live.options.maxRate !== undefined;
    this.#wake = wake;
    this.#stopListening = outlet.onFree(wake);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get isReady(): boolean {
    return this.#pause === undefined && this.outlet.free;
  }

  /** The cursor that it came with. */
  get resume(): string | undefined {
    return this.place === undefined ? this.live.options.resume : undefined;
  }

  /** Equal for those who need the same message. */
  get placeKey(): string {
    if (this.place !== undefined) return `at ${this.place.epoch} ${this.place.offset}`;
    return this.resume === undefined ? 'new' : `from ${this.resume}`;
  }

  /** After a message: whether it has asked for a while without one. */
  mustPause(clock: Clock): boolean {
    const { maxRate } = this.live.options;
    if (maxRate === undefined) return false;
    this.#pause = clock.after(1_000 / maxRate, () => {
      this.#pause = undefined;
      this.#wake();
    });
    return true;
  }

  end(): void {
    this.#isActive = false;
    this.#pause?.cancel();
    this.#stopListening();
  }
}
