import type { Clock, Timer } from '../../clock.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import type { Outlet } from './outlet.ts';
import type { Place } from './place.ts';

/** One subscription in a group: where its messages go, and how far it is while it is not where the others are. */
export class Member {
  readonly live: LiveUpdates;
  readonly outlet: Outlet;
  readonly hasRate: boolean;
  /** How far it is; undefined before its first message. */
  place: Place | undefined;
  readonly #wake: () => void;
  #stopListening: (() => void) | undefined;
  #isActive = true;
  #pause: Timer | undefined;

  constructor(live: LiveUpdates, outlet: Outlet, wake: () => void) {
    this.live = live;
    this.outlet = outlet;
    this.hasRate = live.options.maxRate !== undefined;
    this.#wake = wake;
  }

  /** It differs from the others: it wakes the group as soon as it can take something. */
  fallBehind(place: Place | undefined): void {
    this.place = place;
    this.#stopListening ??= this.outlet.onFree(this.#wake);
  }

  /** It is where the others are. Most are, most of the time, and hold nothing for waiting. */
  catchUp(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
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
    if (this.place !== undefined) return `at ${this.place.reading}`;
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
    this.catchUp();
  }
}
