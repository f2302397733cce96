import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Sink } from '../../sources/sink.ts';
import type { ReflectorStatus } from '../../sources/status.ts';

/** Told what a watch says of itself, and what it said before. */
export type OnStatus = (status: ReflectorStatus, previous: ReflectorStatus) => void;

/**
 * Between a watch and its feed: lets through what comes, or holds it back while it is not certain that this replica may
 * write the feed. What is held is entered later, or never.
 */
export class Valve implements Sink {
  readonly #sink: Sink;
  readonly #mayPass: () => boolean;
  readonly #onStatus: OnStatus;
  /** Undefined: open. */
  #held: (() => void)[] | undefined = [];
  #status: ReflectorStatus;

  /**
   * Begins held. `mayPass` is asked for each change; when it says no, everything is held from then on until `open`.
   * `status`: what is to be said of the watch before it says anything itself.
   */
  constructor(sink: Sink, status: ReflectorStatus, mayPass: () => boolean, onStatus: OnStatus) {
    this.#sink = sink;
    this.#status = status;
    this.#mayPass = mayPass;
    this.#onStatus = onStatus;
  }

  /** What the watch says of itself, whether that is let through or not. */
  get status(): ReflectorStatus {
    return this.#status;
  }

  hold(): void {
    this.#held ??= [];
  }

  open(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    for (const enter of held) enter();
    this.#sink.report(this.#status);
  }

  replace(objects: readonly KubernetesObject[], resourceVersion: string, continuity: 'kept' | 'lost'): void {
    this.#enter(() => this.#sink.replace(objects, resourceVersion, continuity));
  }

  upsert(object: KubernetesObject): void {
    this.#enter(() => this.#sink.upsert(object));
  }

  remove(object: KubernetesObject): void {
    this.#enter(() => this.#sink.remove(object));
  }

  progress(resourceVersion?: string): void {
    this.#enter(() => this.#sink.progress(resourceVersion));
  }

  report(status: ReflectorStatus): void {
    const previous = this.#status;
    this.#status = status;
    if (this.#held === undefined) this.#sink.report(status);
    this.#onStatus(status, previous);
  }

  #enter(change: () => void): void {
    if (this.#held === undefined && !this.#mayPass()) this.#held = [];
    if (this.#held === undefined) change();
    else this.#held.push(change);
  }
}
