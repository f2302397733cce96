import type { Clock } from '../../clock.ts';
import type { Feed, Revision } from '../feed.ts';
import type { Batch, Channel, Head, Recorded } from './bus.ts';
import { chronicleOf, feedBeside } from './recorded.ts';
import type { FollowerEvent } from './share-events.ts';
import { decodeEntry } from './wire.ts';

/** How long a feed with news that the leader does not have is left as it is, in milliseconds, before it is replaced. */
export const CROSSING_MS = 10_000;
/** A written log whose leader has been gone for longer, in milliseconds, is history, and is shown to nobody as it is. */
export const STALE_MS = 15_000;
/** How often the written log is read before it is given up for the moment: it moves on meanwhile. */
const MAX_READS = 5;

export interface FollowerOptions {
  readonly feed: Feed;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly onEvent: (event: FollowerEvent) => void;
  readonly onFailed: (error: unknown) => void;
  /** What is written has been looked at. Not called when it could not be. */
  readonly onCaughtUp: () => void;
}

/**
 * Keeps a feed equal to the one that another replica leads. Only a batch that begins where the feed is, or before, is
 * entered; after a gap the missing ones are read from the written log, or else the whole of it.
 *
 * When the feed is on another line than the leader's (it went on alone, say), the leader's is built up beside it and
 * takes its place as soon as nothing goes back in time by that.
 */
export class Follower {
  readonly #options: FollowerOptions;
  /** The leader's line, while the feed is on another one. */
  #beside: Feed | undefined;
  #besideSince = 0;
  #isLost = false;
  #fence = 0;
  /** What comes while the written log is being read. */
  #waiting: Batch[] | undefined;
  #catchingUp: Promise<void> = Promise.resolve();
  #active = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** The feed is what the leader's was a moment ago. */
  get isLevel(): boolean {
    return this.#active && this.#waiting === undefined && this.#beside === undefined && this.#options.feed.synced;
  }

  /** Begins, or makes sure that nothing was missed. */
  async check(): Promise<void> {
    this.#active = true;
    await (this.#waiting === undefined ? this.#catchUp() : this.#catchingUp);
  }

  /** Enters nothing any more. */
  stop(): void {
    this.#active = false;
    this.#beside = undefined;
    this.#waiting = undefined;
  }

  batch(batch: Batch): void {
    if (!this.#active) return;
    if (batch.fence < this.#fence) {
      this.#options.onEvent('fenced');
      return;
    }
    this.#fence = batch.fence;
    if (this.#waiting !== undefined) this.#waiting.push(batch);
    else if (!this.#entered(batch)) void this.#catchUp();
  }

  /** Whether the feed is at least there. If not, finds out what it lacks. */
  hasReached(head: Revision): boolean {
    const isAt = this.isAt(head);
    if (!isAt) void this.check();
    return isAt;
  }

  /** The same, and leaves it at that. */
  isAt(head: Revision): boolean {
    return this.#line.synced && this.#line.descendsFrom(head);
  }

  get #line(): Feed {
    return this.#beside ?? this.#options.feed;
  }

  #entered(batch: Batch): boolean {
    try {
      return this.#enter(batch);
    } catch (error) {
      this.#options.onFailed(error);
      return false;
    }
  }

  /** False when it does not follow on what is here. */
  #enter(batch: Batch): boolean {
    const line = this.#line;
    if (!line.synced) return !batch.complete;
    const { epoch, offset } = line.revision;
    const until = epoch === batch.epoch ? Number.POSITIVE_INFINITY : batch.lineage.get(epoch);
    if (until === undefined || until < offset || batch.from > offset || batch.floor > offset) {
      if (batch.lost) this.#isLost = true;
      return false;
    }
    if (batch.to > offset || epoch !== batch.epoch) {
      const news = batch.entries.filter((entry) => entry.offset > offset).map(({ bytes }) => decodeEntry(bytes));
      const revision = { epoch: batch.epoch, offset: batch.to };
      line.follow({ revision, lineage: batch.lineage, entries: news, resourceVersion: batch.resourceVersion });
    }
    this.#cross();
    return true;
  }

  /** Reads what is written until it joins with what comes. */
  #catchUp(): Promise<void> {
    this.#catchingUp = this.#readAndJoin();
    return this.#catchingUp;
  }

  async #readAndJoin(): Promise<void> {
    const waiting: Batch[] = [];
    this.#waiting = waiting;
    let hasFailed = false;
    try {
      await this.#readMissed(waiting);
    } catch (error) {
      hasFailed = true;
      this.#options.onFailed(error);
    }
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    if (!hasFailed) this.#options.onCaughtUp();
  }

  async #readMissed(waiting: Batch[]): Promise<void> {
    const { channel, onEvent } = this.#options;
    const isOver = () => this.#waiting !== waiting;
    for (let tries = 0; tries < MAX_READS; tries += 1) {
      const { head, fence } = await channel.position();
      if (isOver()) return;
      // What is written is the authority, even after a failover that has set the fence back.
      this.#fence = fence;
      if (head === undefined || head.ageMs > STALE_MS) {
        if (!waiting.splice(0).some(({ complete }) => complete)) return; // nothing to follow yet; it will be told
        continue;
      }
      if (!this.#isThere(head) && (await this.#repair(head, isOver))) onEvent('repaired');
      if (isOver()) return;
      if (!this.#isThere(head)) {
        const recorded = await channel.read();
        if (isOver()) return;
        if (recorded !== undefined) this.#load(recorded);
      }
      if (waiting.splice(0).every((batch) => batch.fence < this.#fence || this.#enter(batch))) return;
    }
  }

  /** Whether what is here is what is written, or follows from it. */
  #isThere(head: Head): boolean {
    const line = this.#line;
    const { epoch, offset } = line.revision;
    // Further than what is written: Redis has lost its tail, and its leader will write it again.
    return line.synced && epoch === head.epoch && offset >= head.offset;
  }

  /** Enters what was missed, if it is still there to be had. */
  async #repair(head: Head, isOver: () => boolean): Promise<boolean> {
    const line = this.#line;
    const { epoch, offset } = line.revision;
    if (!line.synced) return false;
    if (head.offset === offset && head.lineage.get(epoch) === offset) {
      line.follow({ revision: head, lineage: head.lineage, entries: [], resourceVersion: head.resourceVersion });
      return true;
    }
    const batches = await this.#options.channel.batchesAfter(line.revision.offset);
    if (isOver()) return false;
    return batches.length > 0 && this.#line === line && batches.every((batch) => this.#enter(batch));
  }

  #load(recorded: Recorded): void {
    const { feed, clock, onEvent } = this.#options;
    onEvent('loaded');
    if (!feed.synced) {
      feed.adopt(chronicleOf(recorded, clock), recorded.head.resourceVersion);
      feed.complete();
      return;
    }
    if (this.#beside === undefined) this.#besideSince = clock.monotonic();
    this.#beside = feedBeside(feed, recorded, clock);
    this.#cross();
  }

  /** Puts the leader's line in the feed's place when nothing goes back in time by it, or when it takes too long. */
  #cross(): void {
    const { feed, clock, onEvent } = this.#options;
    const beside = this.#beside;
    if (beside === undefined) return;
    const isOverdue = this.#isLost || clock.monotonic() - this.#besideSince > CROSSING_MS;
    if (feed.isAheadOf(beside)) {
      if (!isOverdue) return;
      feed.startOver(beside.chronicle, beside.resourceVersion);
      onEvent('started over');
    } else {
      feed.adopt(beside.chronicle, beside.resourceVersion);
      onEvent('crossed');
    }
    this.#beside = undefined;
    this.#isLost = false;
  }

  /** Looks whether a line built up beside the feed has taken too long. */
  tick(): void {
    if (this.#active) this.#cross();
  }
}
