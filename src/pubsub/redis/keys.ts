import { createHash } from 'node:crypto';

/** What lies under these keys changes when the form of what is written does: replicas of two versions share nothing. */
const FORM = 1;

/** The keys of one feed. All in one slot of a cluster, because scripts touch several. */
export interface FeedKeys {
  readonly lease: string;
  readonly meta: string;
  readonly snapshot: string;
  readonly removed: string;
  readonly log: string;
  readonly channel: string;
}

/** `id` is hashed: it holds names that clients choose, which must not end the hash tag. */
export function feedKeys(id: string): FeedKeys {
  const tag = `kascade${FORM}:{${digest(id)}}`;
  return {
    lease: `${tag}:lease`,
    meta: `${tag}:meta`,
    snapshot: `${tag}:snapshot`,
    removed: `${tag}:removed`,
    log: `${tag}:log`,
    channel: `${tag}:channel`,
  };
}

/** The channel by which a replica finds out whether messages reach it. */
export function probeChannel(replica: string): string {
  return `kascade${FORM}:probe:${replica}`;
}

/** A key that a replica tries to write, to find out whether it could: one of many, which lie in all slots of a cluster. */
export function probeKey(index: number): string {
  return `kascade${FORM}:probe:${index}`;
}

/** What is counted for somebody or something, over all replicas. */
export function countKey(what: string, owner: string): string {
  return `kascade${FORM}:count:${what}:${digest(owner)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
