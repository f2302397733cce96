import type { Clock, Timer } from '../clock.ts';
import type { ApiError } from '../errors.ts';
import { sizeOf, type LogLine } from '../sources/logs/log-line.ts';
import { LogPosition } from '../sources/logs/log-position.ts';
import type { LogFeed } from './log-feed.ts';

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
}

export const MAX_BATCH_LINES = 1_000;
export const MAX_BATCH_BYTES = 256 * 1024;
/** Messages of one reader are at least so far apart, in milliseconds. */
export const BATCH_MS = 100;
/** Lines that one reader gets a second, once as many as a longest tail have come at once: more than anybody reads. */
export const LINES_PER_SECOND = 2_000;
export const BURST_LINES = 10_000;

type Result = IteratorResult<LogBatch, undefined>;

interface Waiting {
  resolve(result: Result): void;
  reject(error: Error): void;
}

const DONE: Result = { done: true, value: undefined };

/**
 * One reader's messages. Nothing is queued for them but what they asked of the past: a batch is made when they ask for
 * one, of what the feed still has. `return()` settles a pending `next()` at once.
 */
export class LogView implements AsyncIterableIterator<LogBatch, undefined> {
  readonly #feed: LogFeed;
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #stopListening: () => void;
  readonly #since: string | undefined;
  readonly #isNew: (line: LogLine) => boolean;
  #history: readonly LogLine[];
  #next: number;
  #number = 0;
  #hasSpoken = false;
  #told: string | undefined;
  #waiting: Waiting | undefined;
  #error: Error | undefined;
  #ended = false;
  #notBefore = 0;
  #allowance = BURST_LINES;
  #pacedAt = 0;
  #timer: Timer | undefined;

  /** `release` is called once, when the reader leaves or is ended. */
  constructor(feed: LogFeed, clock: Clock, options: LogViewOptions, release: () => void) {
    const { history = [], from, since } = options;
    this.#feed = feed;
    this.#clock = clock;
    this.#release = release;
    this.#history = history;
    this.#next = from;
    this.#since = since;
    const position = new LogPosition();
    for (const line of history) position.advance(line);
    this.#isNew = position.isAfter();
    this.#pacedAt = clock.monotonic();
    this.#stopListening = feed.onChange(() => this.#look());
  }

  next(): Promise<Result> {
    if (this.#waiting !== undefined) return Promise.reject(new Error('next() was called before the last one settled'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#look();
    });
  }

  return(): Promise<Result> {
    this.#error = undefined;
    this.#end();
    this.#take()?.resolve(DONE);
    return Promise.resolve(DONE);
  }

  /** Ends it with an error; nothing that was not delivered yet is delivered any more. */
  fail(error: ApiError): void {
    if (this.#ended) return;
    this.#error = error;
    this.#end();
    this.#look();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #look(): void {
    if (this.#waiting === undefined) return;
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined; // told once; then it is over
      this.#take()?.reject(error);
      return;
    }
    if (this.#ended) {
      this.#take()?.resolve(DONE);
      return;
    }
    if (this.#isTooSoon()) return;
    const value = this.#read();
    if (value === undefined) return;
    this.#pace(value.lines.length);
    if (value.ended) this.#end();
    this.#take()?.resolve({ done: false, value });
  }

  /** Undefined when there is nothing to say. */
  #read(): LogBatch | undefined {
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
      this.#look();
    });
    return true;
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#stopListening();
    this.#history = [];
    this.#release();
  }
}
