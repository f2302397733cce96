import { ApiError, type UpstreamDetail } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';

/** What somebody may not do, completely enough to ask for the right to it. */
export interface Forbidden {
  readonly key: FeedKey;
  /** In words: "delete", "list and watch". */
  readonly verb: string;
  /** Of one object. */
  readonly name?: string | undefined;
  /** Who the cluster takes them for, where that is known. */
  readonly user: string | undefined;
  readonly upstream?: UpstreamDetail | undefined;
  readonly cause?: unknown;
}

/** FORBIDDEN, naming verb, resource, namespace and identity. */
export function forbidden({ key, verb, name, user, upstream, cause }: Forbidden): ApiError {
  const { resource, namespace, agentId } = key;
  const who = user === undefined ? 'You may not' : `You are "${user}" there, and may not`;
  const what = name === undefined ? nameOf(key) : `${nameOf(key)} "${name}"`;
  const everywhere = namespace === undefined ? ' in all namespaces' : ` in namespace "${namespace}"`;
  const where = resource.namespaced ? everywhere : '';
  return new ApiError('FORBIDDEN', `${who} ${verb} ${what}${where} of agent ${agentId}.`, {
    ...(resource.namespaced && namespace === undefined && { remedy: 'Name a namespace that you may see.' }),
    ...(upstream && { upstream }),
    ...(cause !== undefined && { cause }),
  });
}

/** As RBAC's rules and kubectl write it: `pods`, `deployments.apps`. */
export function nameOf({ resource }: FeedKey): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}
