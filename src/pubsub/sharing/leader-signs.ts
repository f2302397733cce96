import type { Clock } from '../../clock.ts';
import type { ReflectorStatus } from '../../sources/status.ts';
import type { Feed } from '../feed.ts';
import type { Beacon } from './bus.ts';
import { absolute } from './relative-status.ts';

/** A leader that has had news for longer, in milliseconds, and cannot write it down, does not vouch for its followers. */
const UNPUBLISHED_MS = 5_000;
/** The same for followers that were not connected yet: what a list has just brought may have happened long ago. */
const UNPUBLISHED_AT_FIRST_MS = 500;
/** The part of a lease after which a leader that was not heard is taken for gone: two signs of life are missing. */
const SILENCE = 0.75;

/** What a follower hears of the leader: whether there is one, and what that one's watch means for this feed. */
export class LeaderSigns {
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  /** When a leader was heard last, or was begun to be waited for: monotonic milliseconds. */
  #heardAt: number;
  /** The last leader has said that it leads no more. */
  #isVacant = false;
  #lastBeacon: Beacon | undefined;

  constructor(feed: Feed, clock: Clock, leaseMs: number) {
    this.#feed = feed;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#heardAt = clock.monotonic();
  }

  heard(): void {
    this.#heardAt = this.#clock.monotonic();
    this.#isVacant = false;
  }

  /** Somebody else leads now, who has not said anything yet. */
  changed(): void {
    this.heard();
    this.#lastBeacon = undefined;
  }

  vacant(): void {
    this.#isVacant = true;
  }

  beacon(beacon: Beacon): void {
    this.heard();
    this.#lastBeacon = beacon;
  }

  /** The last sign of life, unless nobody seems to lead any more. */
  get lastBeacon(): Beacon | undefined {
    return this.isSilent ? undefined : this.#lastBeacon;
  }

  /** Nobody seems to lead. */
  get isSilent(): boolean {
    return this.#isVacant || this.silentMs > this.#leaseMs * SILENCE;
  }

  /** How long nothing has been heard, in milliseconds. */
  get silentMs(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }

  /** What the leader says of its watch, as far as it is true of what is here: `isLevel`, it is all that the leader has. */
  tell(beacon: Beacon, isLevel: boolean): void {
    const feed = this.#feed;
    const now = this.#clock.now();
    const status = absolute(beacon.status, feed.reported, now);
    const patience = feed.reported.state === 'CONNECTED' ? UNPUBLISHED_MS : UNPUBLISHED_AT_FIRST_MS;
    if (isLevel && beacon.unpublishedMs < patience) {
      feed.setFresh(now - beacon.status.freshAgoMs);
      feed.report(status);
    } else feed.report(status.state === 'CONNECTED' ? notConnected(status, feed.reported, now) : status);
  }

  /** What is shown may be old, whoever is to blame. */
  tellSilence(): void {
    const status = this.#feed.reported;
    if (status.state === 'CONNECTED') this.#feed.report(notConnected(status, status, this.#clock.now()));
  }
}

function notConnected(status: ReflectorStatus, previous: ReflectorStatus, now: number): ReflectorStatus {
  return { ...status, state: 'CONNECTING', since: previous.state === 'CONNECTING' ? previous.since : now };
}
