import type { Timer } from '../../../src/clock.ts';
import type { WatchEnd, WatchEvent, WatchHandle, WatchListener, WatchRequest } from '../../../src/sources/upstream.ts';
import type { Chance } from '../chance.ts';
import type { Process } from '../process.ts';
import type { Timeline } from '../timeline.ts';
import type { Change } from './cluster.ts';
import type { Front } from './front.ts';

/** A watcher that has so many events waiting is cut off. */
const MAX_UNREAD = 15;

export interface StreamOptions {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly process: Process;
  readonly front: Front;
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  /** The client does not hold it any more, or nobody does. */
  readonly onGone: () => void;
  readonly onCut: () => void;
}

/** A watch, from the API server to the process that asked for it. */
export class ServedStream implements WatchHandle {
  readonly request: WatchRequest;
  readonly #options: StreamOptions;
  readonly #sent = new Set<number>();
  #unread = 0;
  /** When the last thing sent arrives. */
  #arrival = 0;
  /** As the server sees it. */
  #isServed = false;
  /** As the client sees it. */
  #isHeld = true;
  #timeout: Timer | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.request = options.request;
  }

  // ---- the server's end

  /** Somebody is there to hear it. */
  get isWanted(): boolean {
    return this.#isServed && this.#options.process.isAlive;
  }

  accept(): void {
    const { timeline, listener } = this.#options;
    this.#isServed = true;
    this.#timeout = timeline.after(this.request.timeoutSeconds * 1_000, () => this.end({ kind: 'clean' }));
    this.#deliver(() => listener.opened('HTTP_STREAM'));
  }

  /** Never twice the same. */
  send({ revision, type, object }: Change): void {
    if (revision < Number(this.request.resourceVersion) || this.#sent.has(revision)) return;
    this.#sent.add(revision);
    this.#event({ type, object });
  }

  bookmark(revision: number): void {
    if (revision > Number(this.request.resourceVersion)) {
      this.#event({ type: 'BOOKMARK', resourceVersion: String(revision) });
    }
  }

  end(end: WatchEnd): void {
    this.#unserve();
    this.#deliver(() => {
      this.#isHeld = false;
      this.#options.onGone();
      this.#options.listener.ended(end);
    });
  }

  /** Nothing is ever heard of it again. */
  silence(): void {
    this.#unserve();
  }

  // ---- the client's

  close(): void {
    this.#isHeld = false;
    this.#unserve();
    this.#options.onGone();
  }

  #event(event: WatchEvent): void {
    if (!this.#isServed) return;
    this.#unread += 1;
    this.#deliver(() => {
      this.#unread -= 1;
      this.#options.listener.event(event);
    });
    if (this.#unread <= MAX_UNREAD) return;
    this.#options.onCut();
    this.end({ kind: 'clean' });
  }

  #unserve(): void {
    this.#isServed = false;
    this.#timeout?.cancel();
    this.#options.front.forget(this);
  }

  #deliver(task: () => void): void {
    const { timeline, chance, process } = this.#options;
    this.#arrival = Math.max(this.#arrival, timeline.now + chance.between(1, 15));
    process.deliver(this.#arrival - timeline.now, () => {
      if (this.#isHeld) task();
    });
  }
}
