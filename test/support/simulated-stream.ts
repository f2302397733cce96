import type { Clock, Timer } from '../../src/clock.ts';
import type { WatchEnd, WatchEvent, WatchHandle, WatchListener, WatchRequest } from '../../src/sources/upstream.ts';

export type Change = Exclude<WatchEvent, { type: 'BOOKMARK' }> & { readonly revision: number };

/** A watch that a simulated API server carries. */
export class SimulatedStream implements WatchHandle {
  readonly request: WatchRequest;
  isAccepted = false;
  isDead = false;
  readonly #clock: Clock;
  readonly #listener: WatchListener;
  readonly #gone: (stream: SimulatedStream) => void;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(clock: Clock, request: WatchRequest, listener: WatchListener, gone: (stream: SimulatedStream) => void) {
    this.#clock = clock;
    this.request = request;
    this.#listener = listener;
    this.#gone = gone;
  }

  soon(milliseconds: number, task: () => void): void {
    this.#timers.add(
      this.#clock.after(milliseconds, () => {
        if (!this.#isOver && !this.isDead) task();
      }),
    );
  }

  accept(): void {
    this.isAccepted = true;
    this.#listener.opened('HTTP_STREAM');
  }

  /** A watch delivers what is newer than where it began, or the very same once more; and nothing else. */
  send({ revision, ...event }: Change): void {
    if (this.#isOver || revision < Number(this.request.resourceVersion)) return;
    this.#listener.event(event);
  }

  bookmark(revision: number): void {
    if (this.#isOver || !this.isAccepted || revision <= Number(this.request.resourceVersion)) return;
    this.#listener.event({ type: 'BOOKMARK', resourceVersion: String(revision) });
  }

  end(end: WatchEnd): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.ended(end);
  }

  close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#gone(this);
  }
}
