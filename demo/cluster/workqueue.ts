import type { Pace } from './pace.ts';

/** Objects that a controller should look at soon; however often one is added, it is looked at once. */
export class Workqueue {
  readonly #pace: Pace;
  readonly #delayMs: number;
  readonly #handle: (namespace: string, name: string) => void;
  readonly #waiting = new Set<string>();

  constructor(pace: Pace, delayMs: number, handle: (namespace: string, name: string) => void) {
    this.#pace = pace;
    this.#delayMs = delayMs;
    this.#handle = handle;
  }

  add(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    if (this.#waiting.has(key)) return;
    this.#waiting.add(key);
    this.#pace.after(this.#delayMs, () => {
      this.#waiting.delete(key);
      this.#handle(namespace, name);
    });
  }
}
