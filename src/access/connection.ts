import type { ErrorCode } from '../errors.ts';
import type { Feed } from '../pubsub/feed.ts';
import type { ConnectionState, WatchStatus } from '../sources/status.ts';

/** How well what is shown of a scope follows the cluster. */
export interface Connection {
  readonly agentId: string;
  readonly namespace: string | undefined;
  /** The worst of `resources`. */
  readonly status: ConnectionState;
  /** Why it is not CONNECTED; IDLE when nothing is watched. */
  readonly reason: ErrorCode | 'IDLE' | undefined;
  readonly resources: readonly { readonly resource: string; readonly status: WatchStatus }[];
  /** Set when it could not be looked at: nothing will tell when it can be, so it is worth another look. */
  readonly isUnseen?: true;
}

const BADNESS: Record<ConnectionState, number> = { CONNECTED: 0, CONNECTING: 1, DISCONNECTED: 2 };

/** The connection of a scope as its feeds have it. */
export function connectionOf(agentId: string, namespace: string | undefined, feeds: readonly Feed[]): Connection {
  const resources = feeds.map((feed) => ({ resource: feed.key.resource.field, status: feed.status }));
  resources.sort((a, b) => (a.resource < b.resource ? -1 : 1));
  const worst = resources.reduce<WatchStatus | undefined>(
    (found, { status }) => (found === undefined || BADNESS[status.state] > BADNESS[found.state] ? status : found),
    undefined,
  );
  return {
    agentId,
    namespace,
    status: worst?.state ?? 'DISCONNECTED',
    reason: worst === undefined ? 'IDLE' : worst.reason,
    resources,
  };
}

/** The connection of a scope that could not be looked at, because the viewer's right to it could not be checked. */
export function unseenConnection(agentId: string, namespace: string | undefined, reason: ErrorCode): Connection {
  return { agentId, namespace, status: 'DISCONNECTED', reason, resources: [], isUnseen: true };
}
