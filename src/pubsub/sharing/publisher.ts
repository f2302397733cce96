import type { Clock, Timer } from '../../clock.ts';
import type { Feed, Revision } from '../feed.ts';
import type { LogEntry } from '../object-log.ts';
import type { Batch, Channel, Published } from './bus.ts';
import { encodeEntry, type WireEntry } from './wire.ts';

/** The most that one batch carries: what Redis does in one step delays everybody else's. */
export const MAX_BATCH_ENTRIES = 500;
export const MAX_BATCH_BYTES = 256 * 1_024;
/** How long after a failure it is tried again, in milliseconds. */
export const RETRY_MS = 1_000;

export interface PublisherOptions {
  readonly feed: Feed;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly fence: number;
  /** As far as is written down already and is part of this feed's line. */
  readonly written: Revision | undefined;
  /** Another leads by now. */
  readonly onFenced: () => void;
  /** Redis knows of no leadership any more. */
  readonly onEmptied: () => void;
  /** What is written down was not where this had left it. */
  readonly onMoved: () => void;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Writes a feed down for the other replicas. It is a reader of the feed like any other: it remembers how far it has
 * written and, whenever it can, writes what has changed since. So nothing is queued however slow that is, and the
 * feed's own readers never wait for it.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stopListening: () => void;
  #written: Revision | undefined;
  #isComplete: boolean;
  /** Where the feed was when the collection was begun to be written down. */
  #begunAt = 0;
  #resets: number;
  #busy: Promise<void> | undefined;
  #retry: Timer | undefined;
  #behindSince: number | undefined;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#written = options.written;
    this.#isComplete = options.written !== undefined;
    this.#resets = options.feed.counts.resets;
    this.#stopListening = options.feed.onChange(() => this.look());
  }

  /** As far as is written down. */
  get written(): Revision | undefined {
    return this.#isComplete ? this.#written : undefined;
  }

  /** All there is has been written down. */
  get isLevel(): boolean {
    const { feed } = this.#options;
    if (!feed.synced) return true;
    const { epoch, offset } = feed.revision;
    return this.#isComplete && this.#written?.epoch === epoch && this.#written.offset === offset;
  }

  /** How long there has been something that is not written down yet, in milliseconds. */
  get behindMs(): number {
    return this.#behindSince === undefined ? 0 : this.#options.clock.monotonic() - this.#behindSince;
  }

  /** Writes what there is to write, unless it is at it. */
  look(): void {
    if (this.#stopped || this.#busy !== undefined || this.#retry !== undefined) return;
    if (this.isLevel) return;
    this.#behindSince ??= this.#options.clock.monotonic();
    this.#busy = this.#writeAll().finally(() => {
      this.#busy = undefined;
      if (this.#retry === undefined) this.look();
    });
  }

  /** Tries now what is waiting to be tried again. */
  retryNow(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.look();
  }

  /** What is written down ends there and not at `supposed`: what was lost is written again. */
  moved(supposed: Revision | undefined, head: Revision | undefined): void {
    // Since then something has been written, or is being written: that will find out by itself.
    if (this.#busy !== undefined || this.#retry !== undefined || this.written !== supposed) return;
    this.#goOnFrom(head);
    this.look();
  }

  /** Resolves when what is under way has been answered. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopListening();
    this.#retry?.cancel();
  }

  async #writeAll(): Promise<void> {
    const { channel, clock, onFailed } = this.#options;
    try {
      while (!this.isLevel && !this.#stopped) {
        const { batch, after } = this.#next();
        this.#took(batch, await channel.publish(batch, after));
      }
      if (this.isLevel) this.#behindSince = undefined;
    } catch (error) {
      onFailed(error);
      if (this.#stopped) return;
      this.#retry = clock.after(RETRY_MS, () => this.retryNow());
    }
  }

  #took(batch: Batch, answer: Published): void {
    switch (answer.result) {
      case 'written':
        this.#written = { epoch: batch.epoch, offset: batch.to };
        this.#isComplete = batch.complete;
        this.#resets = this.#options.feed.counts.resets;
        return;
      case 'fenced':
        this.stop();
        this.#options.onFenced();
        return;
      case 'emptied':
        this.stop();
        this.#options.onEmptied();
        return;
      case 'elsewhere':
        // Our own write may have been done before its answer was lost; or Redis has lost what it had.
        this.#goOnFrom(answer.head);
        return;
      default:
        answer satisfies never;
    }
  }

  #goOnFrom(head: Revision | undefined): void {
    this.#written = this.#isOurs(head) ? head : undefined;
    this.#isComplete = this.#written !== undefined;
    this.#options.onMoved();
  }

  #isOurs(head: Revision | undefined): head is Revision {
    return head !== undefined && this.#options.feed.descendsFrom(head);
  }

  /** The next batch to write, and what it goes on from. */
  #next(): { readonly batch: Batch; readonly after: Revision | undefined } {
    const { feed, fence } = this.#options;
    const { epoch, offset } = feed.revision;
    const continued = this.#continued();
    const after = continued === undefined ? undefined : this.#written;
    if (after === undefined) this.#begunAt = offset;
    const { taken, isAll } = encodeSome(continued ?? feed.entriesAfter(0));
    const batch: Batch = {
      type: 'batch',
      fence,
      epoch,
      lineage: feed.lineage,
      from: after?.offset ?? 0,
      to: isAll ? offset : (taken.at(-1)?.offset ?? offset),
      floor: feed.floor,
      resourceVersion: isAll ? feed.resourceVersion : undefined,
      complete: isAll || (after !== undefined && this.#isComplete),
      lost: after === undefined && this.#resets !== feed.counts.resets,
      entries: taken,
    };
    return { batch, after };
  }

  /** What follows on what is written. Undefined when that is not on this feed's line, or longer ago than remembered. */
  #continued(): readonly LogEntry[] | undefined {
    const { feed } = this.#options;
    const written = this.#written;
    if (written === undefined || !feed.descendsFrom(written)) return undefined;
    const entries = feed.entriesAfter(written.offset); // which forgets removals, and may move the floor
    // What was removed since the first batch of a collection was written may be in one of those.
    const safe = this.#isComplete ? written.offset : this.#begunAt;
    return feed.floor > safe ? undefined : entries;
  }
}

/** As many as one batch may carry: one at least. */
function encodeSome(entries: readonly LogEntry[]): { readonly taken: readonly WireEntry[]; readonly isAll: boolean } {
  const taken: WireEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (taken.length >= MAX_BATCH_ENTRIES || bytes >= MAX_BATCH_BYTES) return { taken, isAll: false };
    const encoded = encodeEntry(entry);
    bytes += encoded.bytes.length;
    taken.push(encoded);
  }
  return { taken, isAll: true };
}
