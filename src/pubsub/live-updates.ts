import type { Clock, Timer } from '../clock.ts';
import type { Feed } from './feed.ts';
import { UpdateReader, type ObjectFilter, type Update } from './updates.ts';

export interface LiveOptions {
  readonly filter?: ObjectFilter | undefined;
  /** The cursor of the last message received before. */
  readonly resume?: string | undefined;
  /** Messages a second at most; latest state wins. */
  readonly maxRate?: number | undefined;
}

type Result = IteratorResult<Update, undefined>;
interface Waiting {
  resolve(result: Result): void;
  reject(error: Error): void;
}

const DONE: Result = { done: true, value: undefined };

/**
 * One subscriber's messages. Nothing is queued: a message is made when the subscriber asks for one, of all that
 * has changed since the last, so whoever asks seldom gets fewer messages and costs nobody anything.
 *
 * Written by hand because `return()` must settle a pending `next()` at once; that of an async generator waits
 * behind it, for ever if nothing changes.
 */
export class LiveUpdates implements AsyncIterableIterator<Update, undefined> {
  readonly feed: Feed;
  readonly options: LiveOptions;
  readonly clock: Clock;
  readonly #interval: number;
  readonly #release: () => void;
  #reader: UpdateReader | undefined;
  #stopListening: readonly (() => void)[];
  #onEnd: (() => void) | undefined;
  #waiting: Waiting | undefined;
  #error: Error | undefined;
  #ended = false;
  #hasFailed = false;
  #notBefore = 0;
  #timer: Timer | undefined;

  /** `release` is called once, when the subscriber leaves or is ended. */
  constructor(feed: Feed, clock: Clock, options: LiveOptions, release: () => void) {
    this.feed = feed;
    this.clock = clock;
    this.options = options;
    this.#interval = options.maxRate === undefined ? 0 : 1000 / options.maxRate;
    this.#release = release;
    const look = () => this.#look();
    this.#stopListening = [feed.onChange(look), feed.onStatus(look)];
  }

  /**
   * Somebody else reads the feed for this subscriber from now on, for many at once. What is left of it is its life:
   * `next()` brings no messages any more, only the end. `onEnd` is called at the very moment of that.
   */
  handOver(onEnd: () => void): void {
    this.#stop();
    if (this.#ended) onEnd();
    else this.#onEnd = onEnd;
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

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Ends the subscription with an error; nothing that was not delivered yet is delivered any more. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#hasFailed = true;
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
    if (this.#onEnd !== undefined) return;
    if (!this.feed.synced) {
      if (this.feed.failure !== undefined) this.fail(this.feed.failure);
      return;
    }
    if (this.#isTooSoon()) return;
    const value = this.#read();
    if (value === undefined) return;
    this.#notBefore = this.clock.monotonic() + this.#interval;
    this.#take()?.resolve({ done: false, value });
  }

  /** A defect ends this subscription; it must not reach the feed, which has others to tell. */
  #read(): Update | undefined {
    try {
      this.#reader ??= new UpdateReader(this.feed, this.options.filter, this.options.resume);
      return this.#reader.read();
    } catch (error) {
      this.fail(error as Error);
      return undefined;
    }
  }

  #isTooSoon(): boolean {
    if (this.#interval === 0) return false;
    const wait = this.#notBefore - this.clock.monotonic();
    if (wait <= 0) return false;
    this.#timer ??= this.clock.after(wait, () => {
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
    this.#stop();
    this.#onEnd?.();
    this.#release();
  }

  #stop(): void {
    this.#timer?.cancel();
    for (const stop of this.#stopListening) stop();
    this.#stopListening = [];
  }
}
