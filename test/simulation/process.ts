import type { Clock, Timer } from '../../src/clock.ts';
import type { Chance } from './chance.ts';
import type { Timeline } from './timeline.ts';

const EPOCH = Date.UTC(2026, 0, 1);

/**
 * One process, with a clock of its own that is wrong by some seconds and goes a little too fast or too slow. Nothing
 * happens in it but by its timers and by what is delivered to it. Frozen (SIGSTOP), both wait; killed, both are lost.
 */
export class Process implements Clock {
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #skewMs: number;
  readonly #rate: number;
  #isAlive = true;
  /** What has become due while it stands still. Undefined: it goes. */
  #due: { readonly isTimer: boolean; readonly run: () => void }[] | undefined;

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
    this.#skewMs = Math.floor(chance.between(-5_000, 5_000));
    this.#rate = chance.between(0.995, 1.005);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#due !== undefined;
  }

  now(): number {
    return EPOCH + this.#skewMs + Math.round(this.monotonic());
  }

  monotonic(): number {
    return this.#timeline.now * this.#rate;
  }

  after(milliseconds: number, task: () => void): Timer {
    let cancelled = false;
    const run = () => {
      if (!cancelled) task();
    };
    const timer = this.#timeline.after(milliseconds / this.#rate, () => this.#run(true, run));
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  random(): number {
    return this.#chance.next();
  }

  /** Something comes in over the network, `milliseconds` from now. */
  deliver(milliseconds: number, task: () => void): void {
    this.#timeline.after(milliseconds, () => this.receive(task));
  }

  /** Something has come in over the network. */
  receive(task: () => void): void {
    this.#run(false, task);
  }

  freeze(): void {
    this.#due ??= [];
  }

  /** Timers and input that are overdue come in one of the two orders that there are. */
  thaw(): void {
    const due = this.#due ?? [];
    this.#due = undefined;
    const timersFirst = this.#chance.isLucky(0.5);
    const inOrder = due.toSorted((a, b) => Number(b.isTimer === timersFirst) - Number(a.isTimer === timersFirst));
    for (const { isTimer, run } of inOrder) this.#timeline.after(0, () => this.#run(isTimer, run));
  }

  kill(): void {
    this.#isAlive = false;
    this.#due = undefined;
  }

  #run(isTimer: boolean, run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#due === undefined) run();
    else this.#due.push({ isTimer, run });
  }
}
