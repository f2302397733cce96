import type { Clock, Timer } from '../../clock.ts';
import type { ReflectorStatus } from '../../sources/status.ts';
import type { Feed, Revision } from '../feed.ts';
import type { Beacon, Bus, Channel } from './bus.ts';
import { Publisher } from './publisher.ts';
import { relative } from './relative-status.ts';

/** How much earlier than Redis a leader takes its lease for ended, as a part of it. */
const MARGIN = 1 / 8;
/** How long somebody has to get ready to go on, in milliseconds. */
export const OFFER_MS = 2_000;

export interface LeadershipOptions {
  readonly feed: Feed;
  readonly bus: Bus;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly fence: number;
  /** As far as is written down, on this feed's line. */
  readonly written: Revision | undefined;
  /** What the watch says of itself. */
  readonly status: () => ReflectorStatus;
  /** The lease has been kept. */
  readonly onKept: () => void;
  /** Another leads by now. */
  readonly onFenced: () => void;
  /** Redis knows of no leadership any more. */
  readonly onEmptied: () => void;
  readonly onMoved: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** One term of a leader: its lease, kept alive, and what it writes under it. */
export class Leadership {
  readonly fence: number;
  readonly #options: LeadershipOptions;
  readonly #publisher: Publisher;
  #deadline: number;
  #timer: Timer | undefined;
  #renewing = false;
  #renewAgain = false;
  #ready: ((replica: string) => void) | undefined;
  #stopped = false;

  constructor(options: LeadershipOptions) {
    const { clock, bus } = options;
    this.#options = options;
    this.fence = options.fence;
    this.#deadline = clock.monotonic() + bus.leaseMs * (1 - MARGIN);
    this.#publisher = new Publisher({ ...options, onFenced: () => this.#fenced() });
  }

  start(): void {
    this.#publisher.look();
    void this.renew();
  }

  /** The lease is certainly still held, or nobody else can have got it. */
  get isCertain(): boolean {
    const { bus, clock } = this.#options;
    return !bus.isUp || clock.monotonic() < this.#deadline;
  }

  get unpublishedMs(): number {
    return this.#publisher.behindMs;
  }

  /** Redis is back: what is waiting is tried now. */
  resume(): void {
    this.#publisher.retryNow();
    void this.renew();
  }

  /** Renews the lease and gives a sign of life: now, and from then on. */
  async renew(): Promise<void> {
    this.#renewAgain = true;
    if (this.#renewing || this.#stopped) return;
    this.#renewing = true;
    this.#renewAgain = false;
    this.#timer?.cancel();
    const { channel, clock, bus, onFailed } = this.#options;
    const sentAt = clock.monotonic();
    const beacon = this.#beacon();
    try {
      const answer = await channel.renew(this.fence, beacon);
      if (this.#stopped) return;
      if (answer.result === 'fenced') this.#fenced();
      else if (answer.result === 'emptied') this.#options.onEmptied();
      else {
        this.#deadline = sentAt + bus.leaseMs * (1 - MARGIN);
        this.#options.onKept();
        if (answer.result === 'elsewhere') this.#publisher.moved(beacon.head, answer.head);
      }
    } catch (error) {
      onFailed(error);
    } finally {
      this.#renewing = false;
      const wait = this.#renewAgain ? 0 : bus.leaseMs / 3;
      if (!this.#stopped) this.#timer = clock.after(wait, () => void this.renew());
    }
  }

  /** A replica has its own watch open and can go on. */
  ready(replica: string): void {
    this.#ready?.(replica);
  }

  /**
   * Gives the lease to somebody who is ready to go on, or up. From `hold` on nothing more may be written into the feed:
   * nobody else would come to know of it.
   */
  async handOver(hold: () => void): Promise<void> {
    const { channel, bus, onFailed } = this.#options;
    try {
      const listeners = await channel.send({ type: 'offer', leader: bus.replica });
      const successor = listeners > 1 ? await this.#successor() : undefined;
      hold();
      await this.#writeRest();
      this.stop();
      if (successor === undefined) await channel.release(this.fence);
      else await channel.transfer(this.fence, successor);
    } catch (error) {
      onFailed(error); // the lease ends by itself, then
    } finally {
      this.stop();
    }
  }

  /** Gives the lease up, for whoever wants it. */
  async resign(): Promise<void> {
    this.stop();
    await this.#options.channel.release(this.fence).catch(this.#options.onFailed);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#publisher.stop();
  }

  #successor(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(OFFER_MS, () => resolve(undefined));
      this.#ready = (replica) => {
        timer.cancel();
        resolve(replica);
      };
    });
  }

  async #writeRest(): Promise<void> {
    await this.#publisher.settled();
    this.#publisher.look();
    await this.#publisher.settled();
  }

  #fenced(): void {
    this.stop();
    this.#options.onFenced();
  }

  #beacon(): Beacon {
    const { feed, bus, clock, status } = this.#options;
    const { written, isLevel, behindMs } = this.#publisher;
    return {
      type: 'beacon',
      fence: this.fence,
      leader: bus.replica,
      head: feed.synced ? written : undefined,
      // Of a version that is not written down yet, nobody may go on from.
      resourceVersion: feed.synced && isLevel ? feed.resourceVersion : undefined,
      unpublishedMs: behindMs,
      status: relative(status(), feed.freshAsOf, clock.now()),
    };
  }
}
