import type { KubernetesObject } from '../kubernetes/object.ts';
import { noteOfObjects } from '../kubernetes/once-per-object.ts';

/** Where an object was seen: relations of it are looked for in the same scope. */
export interface Origin {
  readonly agentId: string;
  /** Undefined: all namespaces were looked at. */
  readonly namespace: string | undefined;
}

/** An object belongs to one feed, and so to one agent, for as long as it lives; it does not say to which itself. */
const origins = noteOfObjects<Origin>();

/** Remembers where objects come from, for the fields that lead from them to others. Returns what it was given. */
export function comingFrom<Objects extends Iterable<KubernetesObject>>(origin: Origin, objects: Objects): Objects {
  for (const object of objects) if (origins.of(object) === undefined) origins.set(object, origin);
  return objects;
}

/** Throws for an object that no field has given out. */
export function originOf(object: KubernetesObject): Origin {
  const origin = origins.of(object);
  if (origin === undefined) throw new Error(`${object.kind} ${object.metadata.name} has no origin.`);
  return origin;
}
