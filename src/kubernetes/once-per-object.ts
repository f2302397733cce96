import type { KubernetesObject } from './object.ts';

/** By object, what is known of it, each kind at a place of its own: one map, because each costs the garbage collector. */
const known = new WeakMap<KubernetesObject, unknown[]>();
let places = 0;

/** A value that belongs to an object and goes when the object goes. Undefined: none. */
export interface Note<Value> {
  of(object: KubernetesObject): Value | undefined;
  set(object: KubernetesObject, value: Value): void;
}

export function noteOfObjects<Value>(): Note<Value> {
  const place = places;
  places += 1;
  return {
    of: (object) => known.get(object)?.[place] as Value | undefined, // nobody else writes to this place
    set: (object, value) => {
      const all = known.get(object);
      if (all !== undefined) all[place] = value;
      else {
        const made: unknown[] = [];
        made[place] = value;
        known.set(object, made);
      }
    },
  };
}

/**
 * Objects never change, a change is a new object: what is derived from one is computed once, however many fields,
 * filters, orders and viewers ask for it, and goes when the object goes.
 */
export function oncePerObject<Value>(
  compute: (object: KubernetesObject) => Value,
  isLasting: (object: KubernetesObject) => boolean = () => true,
): (object: KubernetesObject) => Value {
  const note = noteOfObjects<{ readonly value: Value }>();
  return (object) => {
    const hit = note.of(object);
    if (hit !== undefined) return hit.value;
    const value = compute(object);
    if (isLasting(object)) note.set(object, { value });
    return value;
  };
}

/** What is said of an object that is being deleted depends on how long that takes. */
export function isStaying(object: KubernetesObject): boolean {
  return object.metadata.deletionTimestamp === undefined;
}
