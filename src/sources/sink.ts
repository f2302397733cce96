import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ReflectorStatus } from './status.ts';

/**
 * Where a reflector puts what it learns. Calls come in the order of the collection's history and are
 * synchronous; duplicates and late repeats are possible and are the sink's to drop.
 */
export interface Sink {
  /**
   * The whole collection. What is not in it is gone. `lost`: the cluster's history itself went backwards
   * (restored from a backup, another cluster behind the agent), so nothing known before is comparable.
   */
  replace(objects: readonly KubernetesObject[], resourceVersion: string, continuity: 'kept' | 'lost'): void;
  upsert(object: KubernetesObject): void;
  remove(object: KubernetesObject): void;
  /** Proof that everything up to now, this version included, has been delivered: a bookmark, or an accepted watch. */
  progress(resourceVersion?: string): void;
  report(status: ReflectorStatus): void;
}
