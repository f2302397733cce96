interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: Error): void;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * A live stream without a queue: a message is made when its reader asks for one, or later, as soon as there is
 * something to say.
 *
 * Written by hand because `return()` and `fail()` must settle a pending `next()` at once; those of an async generator
 * wait behind it, for ever if nothing changes.
 */
export abstract class OnDemand<T> implements AsyncIterableIterator<T, undefined> {
  readonly #release: () => void;
  #waiting: Waiting<T> | undefined;
  #error: Error | undefined;
  #isEnded = false;

  /** `release` is called once, when the reader leaves or is ended. */
  constructor(release: () => void) {
    this.#release = release;
  }

  /** The next message, if there is something to say at this moment. It may end the stream: then it was the last. */
  protected abstract read(): T | undefined;

  /** Lets go of timers and listeners. Called once, at the end, before `release`. */
  protected abstract stop(): void;

  protected get isEnded(): boolean {
    return this.#isEnded;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting !== undefined) return Promise.reject(new Error('next() was called before the last one settled'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.look();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#error = undefined;
    this.end();
    this.#take()?.resolve(DONE);
    return Promise.resolve(DONE);
  }

  /** Ends the stream with an error, which is told once; nothing that was not delivered yet is delivered any more. */
  fail(error: Error): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.end();
    this.look();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** To be called whenever `read` may have something to say. */
  protected look(): void {
    if (this.#waiting === undefined) return;
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      this.#take()?.reject(error);
      return;
    }
    if (this.#isEnded) {
      this.#take()?.resolve(DONE);
      return;
    }
    const value = this.read();
    if (value !== undefined) this.#take()?.resolve({ done: false, value });
  }

  protected end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.stop();
    this.#release();
  }

  #take(): Waiting<T> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
