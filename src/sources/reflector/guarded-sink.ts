import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Sink } from '../sink.ts';
import type { ReflectorStatus } from '../status.ts';

/**
 * The sink as a reflector may call it: not any more once it was stopped, whatever was under way in that moment; and
 * a sink that chokes on a status keeps nobody from going on.
 */
export class GuardedSink implements Sink {
  readonly #sink: Sink;
  readonly #life: AbortSignal;
  readonly #onDefect: (error: unknown) => void;

  constructor(sink: Sink, life: AbortSignal, onDefect: (error: unknown) => void) {
    this.#sink = sink;
    this.#life = life;
    this.#onDefect = onDefect;
  }

  replace(objects: readonly KubernetesObject[], resourceVersion: string, continuity: 'kept' | 'lost'): void {
    if (!this.#life.aborted) this.#sink.replace(objects, resourceVersion, continuity);
  }

  upsert(object: KubernetesObject): void {
    if (!this.#life.aborted) this.#sink.upsert(object);
  }

  remove(object: KubernetesObject): void {
    if (!this.#life.aborted) this.#sink.remove(object);
  }

  progress(resourceVersion?: string): void {
    if (!this.#life.aborted) this.#sink.progress(resourceVersion);
  }

  report(status: ReflectorStatus): void {
    if (this.#life.aborted) return;
    try {
      this.#sink.report(status);
    } catch (error) {
      this.#onDefect(error);
    }
  }
}
