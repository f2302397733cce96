import type { Clock, Timer } from '../../src/clock.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on, and dice that repeat from their seed. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #order = 0;
  #seed: number;
  readonly #tasks = new Set<Task>();
  readonly #epoch = Date.UTC(2026, 0, 1);

  constructor(seed = 1) {
    this.#seed = seed;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, run: () => void): Timer {
    const task = { at: this.#elapsed + Math.max(0, milliseconds), order: this.#order++, run };
    this.#tasks.add(task);
    return { cancel: () => this.#tasks.delete(task) };
  }

  /** mulberry32 */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Lets time pass, firing timers in order, and promises settle before and after each. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settled();
    for (let task = this.#next(end); task !== undefined; task = this.#next(end)) {
      this.#tasks.delete(task);
      this.#elapsed = Math.max(this.#elapsed, task.at);
      task.run();
      await settled();
    }
    this.#elapsed = end;
  }

  #next(end: number): Task | undefined {
    let next: Task | undefined;
    for (const task of this.#tasks) {
      if (task.at > end) continue;
      if (next === undefined || task.at < next.at || (task.at === next.at && task.order < next.order)) next = task;
    }
    return next;
  }
}

/** Resolves after everything that promises have set in motion without timers or I/O. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
