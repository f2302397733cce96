import type { Clock, Timer } from '../../src/clock.ts';

/** Waits as long as a real cluster would, divided by a speed; everything that waits can be stopped at once. */
export class Pace {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #timers = new Set<Timer>();
  #stopped = false;

  constructor(clock: Clock, speed: number) {
    this.#clock = clock;
    this.#speed = speed;
  }

  after(milliseconds: number, task: () => void): void {
    if (this.#stopped) return;
    const timer = this.#clock.after(milliseconds / this.#speed, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  /** Again and again, each time after a wait asked for anew. */
  every(wait: () => number, task: () => void): void {
    this.after(wait(), () => {
      task();
      this.every(wait, task);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
