import { checkName, checkNamespace } from '../kubernetes/names.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { builder } from './builder.ts';

/** Every field that takes it has it checked by `checkingAgentIds`, before its own resolver runs. */
export const agentArgs = builder.args((t) => ({
  agentId: t.id({
    required: true,
    description:
      "GitLab's numeric agent ID, BAD_USER_INPUT when it is none; or the name of a context when the source is a kubeconfig (k8sAgents), NOT_FOUND when there is none.",
  }),
}));

export const scopeArgs = {
  ...agentArgs,
  ...builder.args((t) => ({
    namespace: t.string({
      description: 'Omitted or null: all namespaces, which needs the right to list and watch cluster-wide.',
    }),
  })),
};

export const objectArgs = {
  ...agentArgs,
  ...builder.args((t) => ({
    namespace: t.string({ required: true, description: "The object's namespace." }),
    name: t.string({ required: true, description: "The object's name (metadata.name)." }),
  })),
};

export interface Scope {
  readonly agentId: string;
  readonly namespace: string | undefined;
}

/** No name goes anywhere before it has passed here: they become parts of URLs upstream. */
export function checkScope(args: { agentId: string; namespace?: string | null | undefined }): Scope {
  return {
    agentId: args.agentId,
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
  const namespace = checkNamespace(args.namespace);
  return { key: { agentId: args.agentId, namespace, resource }, name: checkName(args.name) };
}
