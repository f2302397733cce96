import type { Clock, Timer } from '../clock.ts';
import { sizeOf, type LogLine } from '../sources/logs/log-line.ts';
import { LogPosition } from '../sources/logs/log-position.ts';
import type { LogFeed } from './log-feed.ts';
import { OnDemand } from './on-demand.ts';

/** One message to a reader of a log. */
export interface LogBatch {
  readonly lines: readonly NumberedLine[];
  /** Lines before these that came too fast for this reader. */
  readonly skipped: number;
  /** Nothing more will come. */
  readonly ended: boolean;
  /** What keeps the log from flowing. */
  readonly error: string | undefined;
}

/** A line with its number in what this reader has been told of, from 1; skipped lines count. */
export interface NumberedLine extends LogLine {
  readonly number: number;
}

export interface LogViewOptions {
  /** Lines read before, by themselves: what the feed has of them is not told again. */
  readonly history?: readonly LogLine[];
  /** The first line of the feed to look at. */
  readonly from: number;
  /** Only lines from then on (`LogLine.at`). */
  readonly since?: string | undefined;
  /** Told how many lines came too fast for this reader. */
  readonly onSkipped?: (lines: number) => void;
}

export const MAX_BATCH_LINES = 1_000;
export const MAX_BATCH_BYTES = 256 * 1024;
/** Messages of one reader are at least so far apart, in milliseconds. */
export const BATCH_MS = 100;
/** Lines that one reader gets a second, once as many as a longest tail have come at once: more than anybody reads. */
export const LINES_PER_SECOND = 2_000;
export const BURST_LINES = 10_000;

/**
 * One reader's messages. Nothing is queued for them but what they asked of the past: a batch is made when they ask for
 * one, of what the feed still has.
 */
export class LogView extends OnDemand<LogBatch> {
  readonly #feed: LogFeed;
  readonly #clock: Clock;
  readonly #stopListening: () => void;
  readonly #since: string | undefined;
  readonly #onSkipped: (lines: number) => void;
  readonly #isNew: (line: LogLine) => boolean;
  #history: readonly LogLine[];
  #next: number;
  #number = 0;
  #hasSpoken = false;
  #told: string | undefined;
  #notBefore = 0;
  #allowance = BURST_LINES;
  #pacedAt = 0;
  #timer: Timer | undefined;

  /** `release` is called once, when the reader leaves or is ended. */
  constructor(feed: LogFeed, clock: Clock, options: LogViewOptions, release: () => void) {
    const { history = [], from, since, onSkipped = () => undefined } = options;
    super(release);
    this.#onSkipped = onSkipped;
    this.#feed = feed;
    this.#clock = clock;
    this.#history = history;
    this.#next = from;
    this.#since = since;
    const position = new LogPosition();
    for (const line of history) position.advance(line);
    this.#isNew = position.isAfter();
    this.#pacedAt = clock.monotonic();
    this.#stopListening = feed.onChange(() => this.look());
  }

  protected override read(): LogBatch | undefined {
    if (this.#isTooSoon()) return undefined;
    const batch = this.#batch();
    if (batch === undefined) return undefined;
    this.#pace(batch.lines.length);
    if (batch.ended) this.end();
    return batch;
  }

  protected override stop(): void {
    this.#timer?.cancel();
    this.#stopListening();
    this.#history = [];
  }

  /** Undefined when there is nothing to say. */
  #batch(): LogBatch | undefined {
    const { trouble, isEnded, ring, hasFlowed } = this.#feed;
    const { lines, skipped } = this.#lines();
    const hasMore = this.#history.length > 0 || this.#next < ring.end;
    const ended = isEnded && !hasMore;
    // An empty log is an answer, too: the first message comes as soon as the log flows.
    const isFirst = !this.#hasSpoken && (hasFlowed || isEnded);
    const error = hasMore ? undefined : trouble?.message;
    const isNews = error !== this.#told;
    if (lines.length === 0 && skipped === 0 && !ended && !isNews && !isFirst) return undefined;
    this.#told = error;
    this.#hasSpoken = true;
    if (skipped > 0) this.#onSkipped(skipped);
    return { lines, skipped, ended, error };
  }

  #lines(): Pick<LogBatch, 'skipped'> & { readonly lines: NumberedLine[] } {
    const lines: NumberedLine[] = [];
    let bytes = 0;
    const isFull = () => lines.length >= MAX_BATCH_LINES || bytes >= MAX_BATCH_BYTES;
    const add = (line: LogLine) => {
      this.#number += 1;
      bytes += sizeOf(line);
      lines.push({ ...line, number: this.#number });
    };
    let taken = 0;
    for (const line of this.#history) {
      if (isFull()) break;
      add(line);
      taken += 1;
    }
    this.#history = this.#history.slice(taken);
    const { ring } = this.#feed;
    // Told with the lines that come after the gap: not while there are lines from before it.
    const skipped = lines.length === 0 ? Math.max(0, ring.start - this.#next) : 0;
    this.#next += skipped;
    this.#number += skipped;
    if (ring.start > this.#next) return { lines, skipped };
    while (this.#next < ring.end && !isFull()) {
      const line = ring.at(this.#next);
      this.#next += 1;
      if (line !== undefined && this.#isNew(line) && !(this.#since !== undefined && line.at < this.#since)) add(line);
    }
    return { lines, skipped };
  }

  /** Whoever has used up the burst waits until there is room for another batch; what they miss is told as skipped. */
  #pace(lines: number): void {
    const now = this.#clock.monotonic();
    this.#allowance =
      Math.min(BURST_LINES, this.#allowance + ((now - this.#pacedAt) * LINES_PER_SECOND) / 1_000) - lines;
    this.#pacedAt = now;
    const untilRoom = ((MAX_BATCH_LINES - this.#allowance) * 1_000) / LINES_PER_SECOND;
    this.#notBefore = now + Math.max(BATCH_MS, untilRoom);
  }

  #isTooSoon(): boolean {
    const wait = this.#notBefore - this.#clock.monotonic();
    if (wait <= 0) return false;
    this.#timer ??= this.#clock.after(wait, () => {
      this.#timer = undefined;
      this.look();
    });
    return true;
  }
}
