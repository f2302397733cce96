/** Milliseconds of work in one turn of the event loop. Pings, timers and reading what comes in wait for so long. */
const TURN_MS = 8;

/**
 * Divides the work of all shapes into turns: hundreds of them may have something to do at one moment. They go one after
 * the other, and the time is looked at before each: were all of them let go at once, each would find that nothing has
 * been done yet.
 */
export class Pace {
  readonly #waiting: (() => void)[] = [];
  #isServing = false;
  #startedAt: number | undefined;

  /** Resolves when the caller may go on until it waits for something: in this turn, or a later one. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isServing) return;
      this.#isServing = true;
      this.#serve();
    });
  }

  #serve(): void {
    if (this.#waiting.length > 0 && this.#isOver()) {
      setImmediate(() => this.#serve());
      return;
    }
    const next = this.#waiting.shift();
    this.#isServing = next !== undefined;
    if (next === undefined) return;
    next();
    queueMicrotask(() => this.#serve()); // comes after what `next` lets go on
  }

  #isOver(): boolean {
    if (this.#startedAt !== undefined) return performance.now() - this.#startedAt > TURN_MS;
    this.#startedAt = performance.now();
    setImmediate(() => (this.#startedAt = undefined));
    return false;
  }
}
