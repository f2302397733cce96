import { keepIdentity } from './keep-identity.ts';

/** Everything in a list has its own id: Kubernetes' uid, which is never used twice. */
export interface Identified {
  readonly id: string;
}

/** A message of a list subscription. Those fields that the document did not ask for are not there. */
export interface Update<Item extends Identified> {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly upserted: readonly Item[];
  readonly removed: readonly string[];
  readonly cursor?: string;
  readonly freshAsOf?: string;
  readonly resyncReason?: string | null;
}

/** The state that updates add up to. Never changed: every update makes a new one, of the same items. */
export interface List<Item extends Identified> {
  readonly items: readonly Item[];
  readonly byId: ReadonlyMap<string, Item>;
  /** What to pass as `resume`. */
  readonly cursor: string | undefined;
  readonly freshAsOf: string | undefined;
  /** Why the last SNAPSHOT came, when it replaced something. */
  readonly resyncReason: string | undefined;
}

export function emptyList<Item extends Identified>(): List<Item> {
  return { items: [], byId: new Map(), cursor: undefined, freshAsOf: undefined, resyncReason: undefined };
}

/**
 * The list after an update. SNAPSHOT replaces everything; otherwise `removed` goes first, then `upserted`. An item that
 * says the same as before stays the same object, also across a SNAPSHOT, and `items` stays the same array while
 * nothing in it changed: what compares by identity (React, Vue, memo) then has nothing to do.
 */
export function applyUpdate<Item extends Identified>(list: List<Item>, update: Update<Item>): List<Item> {
  const byId = new Map(update.type === 'SNAPSHOT' ? [] : list.byId);
  for (const id of update.removed) byId.delete(id);
  for (const item of update.upserted) byId.set(item.id, keepIdentity(list.byId.get(item.id), item));
  const items = [...byId.values()];
  const head = {
    cursor: update.cursor ?? list.cursor,
    freshAsOf: update.freshAsOf ?? list.freshAsOf,
    resyncReason: update.type === 'SNAPSHOT' ? (update.resyncReason ?? undefined) : list.resyncReason,
  };
  return sameItems(items, list.items) ? { ...list, ...head } : { items, byId, ...head };
}

function sameItems<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
