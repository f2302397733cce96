import type { ClusterEvent } from './events.ts';

/** Events that say the same of the same object, as one. Everything else in it is that of the newest of them. */
export interface FoldedEvent extends ClusterEvent {
  /** The ids of the events in it, the newest first. */
  readonly ids: readonly string[];
}

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Folds events by what they are about (uid, kind, namespace and name, so that a pod of a StatefulSet is not mixed up with
 * its predecessor, nor a Deployment with a Service of its name), reason, type and reporting component; counts add up, the
 * first and last times widen. The newest come first; those without a time come last; equals keep their order.
 */
export function foldEvents(events: readonly ClusterEvent[]): FoldedEvent[] {
  const groups = Map.groupBy(events.toSorted(newestFirst), foldKey);
  return [...groups.values()].map(fold);
}

/** A comparator: by `lastAt`, the newest first, without a time last. */
export function newestFirst(a: ClusterEvent, b: ClusterEvent): number {
  return time(b.lastAt) - time(a.lastAt) || 0;
}

/** The same for events that become one. */
export function foldKey({ involvedObject, reason, type, source }: ClusterEvent): string {
  const { uid, kind, namespace, name } = involvedObject;
  return JSON.stringify([uid, kind, namespace, name, reason, type, source.component]);
}

/** The group is in order, the newest first. */
function fold(group: readonly ClusterEvent[]): FoldedEvent {
  const [newest] = group;
  if (newest === undefined) throw new TypeError('A group of events must not be empty.');
  const firsts = group.map((each) => each.firstAt).filter((each) => each !== undefined);
  return {
    ...newest,
    count: Math.min(
      group.reduce((sum, each) => sum + each.count, 0),
      MAX_INT32,
    ),
    firstAt: firsts.toSorted((a, b) => time(a) - time(b))[0],
    ids: group.map((each) => each.id),
  };
}

/** Infinitely long ago when there is none. */
function time(written: string | undefined): number {
  return written === undefined ? -Infinity : Date.parse(written);
}
