import type { ErrorCode } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import type { Viewer } from './viewer.ts';

/** Who did what, or was kept from it. Never holds a payload or a credential. */
export interface AuditEntry {
  readonly event: 'attach' | 'deny' | 'revoke' | 'mutate';
  /** The viewer's digest. */
  readonly viewer: string;
  /** Who the cluster says it is, where that is known. */
  readonly user: string | undefined;
  readonly agentId: string;
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly verb: string;
  readonly decision: 'allowed' | 'denied' | 'failed';
  readonly code: ErrorCode | undefined;
  /** KAS's, when the decision was made there. */
  readonly traceId: string | undefined;
}

export type Audit = (entry: AuditEntry) => void;

/** An entry about a viewer and a collection; the rest is what happened. */
export function auditEntry(
  viewer: Viewer,
  { agentId, namespace, resource }: FeedKey,
  what: Pick<AuditEntry, 'event' | 'verb' | 'decision'> & Partial<AuditEntry>,
): AuditEntry {
  return {
    viewer: viewer.id,
    user: undefined,
    agentId,
    namespace,
    resource: resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`,
    name: undefined,
    code: undefined,
    traceId: undefined,
    ...what,
  };
}
