import { hasFailed } from './failing.ts';

/**
 * A live stream seen through a function, which may have nothing to say of a message, or end the stream after one.
 * `return()` settles a pending `next()` at once, as far as that of the stream underneath does.
 */
export class Mapped<From, To> implements AsyncIterableIterator<To, undefined> {
  readonly #source: AsyncIterableIterator<From>;
  readonly #map: (message: From) => Step<To> | undefined;
  readonly #onEnd: () => void;
  #isOver = false;

  /** `onEnd` is called at the end, whatever it is; maybe more than once. */
  constructor(
    source: AsyncIterableIterator<From>,
    map: (message: From) => Step<To> | undefined,
    onEnd: () => void = () => undefined,
  ) {
    this.#source = source;
    this.#map = map;
    this.#onEnd = onEnd;
  }

  async next(): Promise<IteratorResult<To, undefined>> {
    try {
      while (!this.#isOver) {
        const result = await this.#source.next();
        if (result.done === true) break;
        const step = this.#map(result.value);
        if (step === undefined) continue;
        if (step.isLast === true) await this.return();
        return { done: false, value: step.value };
      }
    } catch (error) {
      this.#onEnd();
      throw error;
    }
    this.#onEnd();
    return DONE;
  }

  get hasFailed(): boolean {
    return hasFailed(this.#source);
  }

  async return(): Promise<IteratorResult<To, undefined>> {
    this.#isOver = true;
    this.#onEnd();
    await this.#source.return?.();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export interface Step<To> {
  readonly value: To;
  readonly isLast?: boolean;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };
