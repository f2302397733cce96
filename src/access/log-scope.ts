import { PODS, type Resource } from '../kubernetes/resources.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { AccessAttributes } from '../sources/source.ts';
import type { LogTarget } from '../sources/logs/log-source.ts';

const LOG_OF = /^pods\/([^/]+)\/log$/;

/** The logs of a namespace's pods, as RBAC names them. */
export const POD_LOGS: Resource = { ...PODS, field: 'k8sLogs', plural: 'pods/log' };

/** What the right to one pod's log is held for, in the terms in which the right to a collection is. */
export function logScope({ agentId, namespace, pod }: LogTarget): FeedKey {
  return { agentId, namespace, resource: { ...POD_LOGS, plural: `pods/${pod}/log` } };
}

/** The question to ask the cluster when the scope is that of a log; undefined for any other. */
export function logQuestion({ resource, namespace }: FeedKey): AccessAttributes | undefined {
  const name = LOG_OF.exec(resource.plural)?.[1];
  if (name === undefined) return undefined;
  const { group, version, plural } = PODS;
  return { verb: 'get', group, version, resource: plural, subresource: 'log', namespace, name };
}
