import type { EventObject } from '../kubernetes/events.ts';
import { eventOf } from '../pubsub/event-groups.ts';
import type { ObjectFilter } from '../pubsub/updates.ts';
import type { ObjectRef } from './object-ref.ts';

export type EventType = 'NORMAL' | 'WARNING';

const WRITTEN: Readonly<Record<EventType, string>> = { NORMAL: 'Normal', WARNING: 'Warning' };

/** The events about an object, and of a type; undefined: all. */
export function eventFilter(about: ObjectRef | undefined, type: EventType | undefined): ObjectFilter | undefined {
  if (about === undefined && type === undefined) return undefined;
  const { group, kind, namespace, name, uid } = about ?? {};
  return {
    key: `events ${JSON.stringify([group, kind, namespace, name, uid, type])}`,
    matches: (object) => {
      const event = eventOf(object);
      if (type !== undefined && event.type !== WRITTEN[type]) return false;
      return about === undefined || isAbout(event.involvedObject, about);
    },
  };
}

/**
 * Whether an event is about this object: by its id when that is known, so that a pod of a StatefulSet is not given the
 * events of its predecessor; else by kind, namespace and name, never by the name alone.
 */
export function isAbout(found: EventObject, { group, kind, namespace, name, uid }: ObjectRef): boolean {
  // Some controllers leave the uid out, or write something else in its place: nodes have their name there.
  if (uid !== undefined && found.uid !== undefined && found.uid !== found.name) return found.uid === uid;
  if (found.kind !== kind || found.name !== name || (found.namespace ?? namespace) !== namespace) return false;
  return group === undefined || found.apiVersion === undefined || groupOf(found.apiVersion) === group;
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
