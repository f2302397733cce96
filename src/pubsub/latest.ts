import type { ApiError } from '../errors.ts';

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: ApiError): void;
}

/**
 * A stream of states in which only the latest matters: a value that was not taken yet is replaced by the next one.
 * `return()` settles a pending `next()` at once.
 */
export class Latest<T> implements AsyncIterableIterator<T, undefined> {
  readonly #release: () => void;
  #value: { readonly value: T } | undefined;
  #waiting: Waiting<T> | undefined;
  #error: ApiError | undefined;
  #ended = false;

  /** `release` is called once, at the end. */
  constructor(release: () => void) {
    this.#release = release;
  }

  offer(value: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#value = { value };
    else waiting.resolve({ done: false, value });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting !== undefined) return Promise.reject(new Error('next() was called before the last one settled'));
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined; // told once; then it is over
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#value !== undefined) {
      const { value } = this.#value;
      this.#value = undefined;
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#error = undefined;
    const waiting = this.#end();
    waiting?.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the stream with an error; a value that was not taken yet is not delivered any more. */
  fail(error: ApiError): void {
    if (this.#ended) return;
    const waiting = this.#end();
    if (waiting === undefined) this.#error = error;
    else waiting.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): Waiting<T> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#value = undefined;
    if (!this.#ended) {
      this.#ended = true;
      this.#release();
    }
    return waiting;
  }
}
