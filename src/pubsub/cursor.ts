import { createHash } from 'node:crypto';
import type { Revision } from './feed.ts';
import type { FeedKey } from './feed-key.ts';

/**
 * A revision made opaque, for clients to come back with. It says which log, how far, and what was being looked
 * at (feed and filter), because the same offset means something else to another filter. It carries no authority:
 * whoever brings it is checked like anyone else, so it needs no signature either.
 */
export function encodeCursor(revision: Revision, view: string): string {
  return Buffer.from(`1.${revision.epoch}.${revision.offset.toString(36)}.${view}`).toString('base64url');
}

/** The revision, or undefined when this is no cursor of ours or belongs to another view. */
export function decodeCursor(cursor: string, view: string): Revision | undefined {
  if (cursor.length > 200) return undefined;
  const match = /^1\.([\w-]{12})\.([0-9a-z]{1,11})\.([\w-]+)$/.exec(
    Buffer.from(cursor, 'base64url').toString('latin1'),
  );
  if (match?.[1] === undefined || match[2] === undefined || match[3] !== view) return undefined;
  const offset = Number.parseInt(match[2], 36);
  return Number.isSafeInteger(offset) ? { epoch: match[1], offset } : undefined;
}

/** A short digest of what a reader looks at: the feed and its filter. */
export function viewOf(key: FeedKey, filterKey: string): string {
  const { group, version, plural } = key.resource;
  const text = JSON.stringify([key.agentId, key.namespace ?? null, group, version, plural, filterKey]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
