import type { WatchTarget } from '../sources/source.ts';

export interface FeedKey extends WatchTarget {
  /** Set where clusters answer each user differently: then a feed is one viewer's, and shared by nobody else. */
  readonly identity?: string | undefined;
}

/** Equal for keys that share a feed. */
export function feedId({ agentId, namespace, resource, identity }: FeedKey): string {
  const { group, version, plural } = resource;
  return JSON.stringify([agentId, namespace ?? null, group, version, plural, identity ?? null]);
}
