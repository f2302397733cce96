import { checkAgentId, checkName, checkNamespace } from '../kubernetes/names.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import { builder } from './builder.ts';

const AGENT_ID =
  "GitLab's numeric agent ID; the name of a context when the source is a kubeconfig. BAD_USER_INPUT when it can be neither.";

export const agentArgs = builder.args((t) => ({
  agentId: t.id({ required: true, description: AGENT_ID }),
}));

export const scopeArgs = builder.args((t) => ({
  agentId: t.id({ required: true, description: AGENT_ID }),
  namespace: t.string({
    description: 'Omitted or null: all namespaces, which needs the right to list and watch cluster-wide.',
  }),
}));

export const objectArgs = builder.args((t) => ({
  agentId: t.id({ required: true, description: AGENT_ID }),
  namespace: t.string({ required: true, description: "The object's namespace." }),
  name: t.string({ required: true, description: "The object's name (metadata.name)." }),
}));

export interface Scope {
  readonly agentId: string;
  readonly namespace: string | undefined;
}

/** Nothing goes anywhere before its names passed here: they become parts of URLs upstream. */
export function checkScope(args: { agentId: string; namespace?: string | null | undefined }): Scope {
  return {
    agentId: checkAgentId(args.agentId),
    namespace: args.namespace == null ? undefined : checkNamespace(args.namespace),
  };
}

export function feedKey(resource: Resource, scope: Scope): FeedKey {
  return { agentId: scope.agentId, namespace: scope.namespace, resource };
}

export interface ObjectAddress {
  readonly key: FeedKey & { namespace: string };
  readonly name: string;
}

export function checkAddress(
  resource: Resource,
  args: { agentId: string; namespace: string; name: string },
): ObjectAddress {
  const agentId = checkAgentId(args.agentId);
  const namespace = checkNamespace(args.namespace);
  return { key: { agentId, namespace, resource }, name: checkName(args.name) };
}
