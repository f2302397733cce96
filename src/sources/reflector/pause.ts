import type { Clock } from '../../clock.ts';

/** A wait that somebody may cut short, though not to less than what the server has asked for. One at a time. */
export class Pause {
  readonly #clock: Clock;
  readonly #life: AbortSignal;
  readonly #onChange: (restMs: number) => void;
  #cutShort: (() => void) | undefined;

  /** `onChange` is told how long it still is when that has changed. */
  constructor(clock: Clock, life: AbortSignal, onChange: (restMs: number) => void) {
    this.#clock = clock;
    this.#life = life;
    this.#onChange = onChange;
  }

  cutShort(): void {
    this.#cutShort?.();
  }

  /** Resolves after `ms`, or when it is cut short, but not before `leastMs`. Rejects with the signal's reason. */
  async last(ms: number, leastMs = 0): Promise<void> {
    this.#life.throwIfAborted();
    const least = this.#clock.monotonic() + leastMs;
    await new Promise<void>((resolve, reject) => {
      const over = () => {
        timer.cancel();
        this.#life.removeEventListener('abort', abort);
        this.#cutShort = undefined;
      };
      const done = () => {
        over();
        resolve();
      };
      const abort = () => {
        over();
        reject(this.#life.reason as Error);
      };
      let timer = this.#clock.after(ms, done);
      this.#life.addEventListener('abort', abort, { once: true });
      this.#cutShort = () => {
        const rest = least - this.#clock.monotonic();
        if (rest <= 0) {
          done();
          return;
        }
        timer.cancel();
        timer = this.#clock.after(rest, done);
        this.#onChange(rest);
      };
    });
  }
}
