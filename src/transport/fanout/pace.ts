import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of work in one turn of the event loop. Pings, timers and reading what comes in wait for so long. */
const TURN_MS = 8;

/** Divides the work of all shapes into turns: hundreds of them may have something to do at one moment. */
export class Pace {
  #startedAt: number | undefined;

  /** Resolves at once, or in a later turn when enough was done in this one. */
  async turn(): Promise<void> {
    while (this.#isOver()) await nextTurn();
  }

  #isOver(): boolean {
    if (this.#startedAt !== undefined) return performance.now() - this.#startedAt > TURN_MS;
    this.#startedAt = performance.now();
    setImmediate(() => (this.#startedAt = undefined));
    return false;
  }
}
