import type { ErrorCode } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { nameOf } from './forbidden.ts';
import type { Viewer } from './viewer.ts';

/**
 * Who did what, or was kept from it. Never holds a payload or a credential.
 *
 * - `identify`: the cluster has said who a viewer is. From then on their entries name the user; earlier ones are
 *   found by the same digest.
 * - `attach`: joined a shared watch, for a query or a subscription.
 * - `deny`: was refused something.
 * - `revoke`: lost what they were looking at.
 * - `mutate`: changed something, or tried to.
 */
export interface AuditEntry {
  readonly event: 'identify' | 'attach' | 'deny' | 'revoke' | 'mutate';
  /** The viewer's digest. */
  readonly viewer: string;
  /** Who the cluster says it is, where that is known. */
  readonly user: string | undefined;
  readonly agentId: string;
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined;
  /** Undefined: about no resource in particular. */
  readonly resource: string | undefined;
  readonly name: string | undefined;
  readonly verb: string;
  readonly decision: 'allowed' | 'denied' | 'failed';
  readonly code: ErrorCode | undefined;
  /** KAS's, when the decision was made there. */
  readonly traceId: string | undefined;
}

export type Audit = (entry: AuditEntry) => void;

/** What an entry is about: a collection, or only a scope. */
export type AuditScope = Pick<FeedKey, 'agentId' | 'namespace'> & Partial<Pick<FeedKey, 'resource'>>;

/** An entry about a viewer and a scope; the rest is what happened. */
export function auditEntry(
  viewer: Viewer,
  { agentId, namespace, resource }: AuditScope,
  what: Pick<AuditEntry, 'event' | 'verb' | 'decision'> & Partial<AuditEntry>,
): AuditEntry {
  return {
    viewer: viewer.id,
    user: undefined,
    agentId,
    namespace,
    resource: resource && nameOf({ agentId, namespace, resource }),
    name: undefined,
    code: undefined,
    traceId: undefined,
    ...what,
  };
}
