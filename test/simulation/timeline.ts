import type { Timer } from '../../src/clock.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** So many tasks within one millisecond: something goes round in circles. */
const MAX_AT_ONCE = 20_000;
/** So many in all: something does without a pause what it should do now and then. Runs have a quarter of that at most. */
const MAX_IN_ALL = 200_000;

/**
 * The one time that everything simulated lives in: tasks by the moment that they are due, in milliseconds from the
 * beginning. It is the only thing that makes anything happen, so that a run depends on nothing but its seed.
 */
export class Timeline {
  #now = 0;
  #order = 0;
  #atOnce = 0;
  #inAll = 0;
  /** A binary heap. */
  readonly #heap: Task[] = [];

  get now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void): Timer {
    const task: Task = { at: this.#now + Math.max(0, milliseconds), order: this.#order++, run, cancelled: false };
    this.#push(task);
    return {
      cancel: () => {
        task.cancelled = true;
      },
    };
  }

  /** Lets time pass. What promises set in motion is done before the next task is. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (let task = this.#heap[0]; task !== undefined && task.at <= end; task = this.#heap[0]) {
      this.#pop();
      if (task.cancelled) continue;
      this.#count(task.at);
      this.#now = task.at;
      task.run();
      await settled();
    }
    this.#now = end;
  }

  #count(at: number): void {
    this.#atOnce = Math.floor(at) === Math.floor(this.#now) ? this.#atOnce + 1 : 0;
    this.#inAll += 1;
    if (this.#inAll > MAX_IN_ALL) throw new Error('Time hardly passes: tasks make tasks without end.');
    if (this.#atOnce > MAX_AT_ONCE) throw new Error('Time stands still: tasks make tasks without end.');
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(task, heap[parent])) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child])) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Task, b: Task | undefined): boolean {
  return b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order);
}

function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
