import { clusterEvent, type ClusterEvent } from '../kubernetes/events.ts';
import { foldEvents, foldKey, type FoldedEvent } from '../kubernetes/folded-events.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { oncePerObject } from '../kubernetes/once-per-object.ts';

export const eventOf = oncePerObject(clusterEvent);

/** What a change of single events means for the folded ones. Keys are `foldKey`'s. */
export interface GroupChanges {
  readonly upserted: readonly FoldedEvent[];
  /** Keys of groups that are no more. */
  readonly removed: readonly string[];
}

/** Events of one view in groups that say the same, kept up to date as they come and go. */
export class EventGroups {
  readonly #groups = new Map<string, Map<string, ClusterEvent>>();
  readonly #keys = new Map<string, string>();

  get size(): number {
    return this.#groups.size;
  }

  has(uid: string): boolean {
    return this.#keys.has(uid);
  }

  /** All of them, the newest first. */
  all(): FoldedEvent[] {
    return foldEvents([...this.#groups.values()].flatMap((group) => [...group.values()]));
  }

  replace(objects: Iterable<KubernetesObject>): void {
    this.#groups.clear();
    this.#keys.clear();
    for (const object of objects) this.#add(eventOf(object));
  }

  apply(upserted: readonly KubernetesObject[], removed: readonly string[]): GroupChanges {
    const touched = new Set<string>();
    for (const uid of removed) touched.add(this.#remove(uid));
    for (const object of upserted) {
      const event = eventOf(object);
      const before = this.#remove(event.id);
      if (before !== '') touched.add(before);
      touched.add(this.#add(event));
    }
    touched.delete('');
    const groups = [...touched].map((key) => ({ key, events: [...(this.#groups.get(key)?.values() ?? [])] }));
    return {
      upserted: foldEvents(groups.flatMap(({ events }) => events)),
      removed: groups.filter(({ events }) => events.length === 0).map(({ key }) => key),
    };
  }

  #add(event: ClusterEvent): string {
    const key = foldKey(event);
    const group = this.#groups.get(key) ?? new Map<string, ClusterEvent>();
    this.#groups.set(key, group.set(event.id, event));
    this.#keys.set(event.id, key);
    return key;
  }

  /** Returns the key of the group that it was in; '' when it was in none. */
  #remove(uid: string): string {
    const key = this.#keys.get(uid);
    if (key === undefined) return '';
    this.#keys.delete(uid);
    const group = this.#groups.get(key);
    group?.delete(uid);
    if (group?.size === 0) this.#groups.delete(key);
    return key;
  }
}
