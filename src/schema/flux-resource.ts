import { parseFluxResourcePath } from '../kubernetes/flux-resource-path.ts';
import { FLUX_RESOURCES } from '../kubernetes/resources.ts';
import type { ObjectUpdate } from '../pubsub/object-updates.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { followObject } from './object-subscription.ts';
import { K8sObject } from './objects.ts';
import { comingFrom } from './origin.ts';
import { agentArgs, type ObjectAddress } from './scope.ts';
import { servedKey } from './served.ts';

interface PathArgs {
  readonly agentId: string;
  readonly fluxResourcePath: string;
}

const FluxResourceUpdate = builder.objectRef<ObjectUpdate>('FluxResourceUpdate').implement({
  description: 'One message of the subscription `fluxResource`.',
  fields: (t) => ({
    object: t.field({
      type: K8sObject,
      nullable: true,
      description: 'The object as it is now; null while there is none of this name.',
      resolve: (message) => message.object,
    }),
    freshAsOf: t.expose('freshAsOf', {
      type: 'DateTime',
      description: 'The last proof that the watch behind this was alive and complete.',
    }),
  }),
});

const pathArgs = builder.args((t) => ({
  fluxResourcePath: t.string({
    required: true,
    description:
      'As GitLab stores it on an environment: `{group}/{version}/namespaces/{namespace}/{plural}/{name}` of one of the seven kinds of Flux. Its version is a hint: what the cluster serves is used.',
  }),
}));

export function addFluxResource(): void {
  builder.queryField('fluxResource', (t) =>
    t.field({
      type: K8sObject,
      nullable: true,
      description:
        'One object of Flux by the path that GitLab stores, or null when there is none. NOT_FOUND when Flux is not installed.',
      args: { ...agentArgs, ...pathArgs },
      resolve: async (_root, args, context) => {
        const { key, name } = await address(args, context);
        const found = await context.gate.get(context.viewer(), key, name);
        if (found !== undefined) comingFrom(key, [found]);
        return found;
      },
    }),
  );

  builder.subscriptionField('fluxResource', (t) =>
    t.field({
      type: FluxResourceUpdate,
      description:
        'The same, live: first as it is, or null when there is none; then whenever it changes, is deleted, or is created again. Needs the right to list and watch its kind.',
      args: { ...agentArgs, ...pathArgs },
      subscribe: async (_root, args, context) => {
        return followObject(context, await address(args, context));
      },
      resolve: (message) => message,
    }),
  );
}

async function address(args: PathArgs, context: Context): Promise<ObjectAddress> {
  const { key, name } = checked(args);
  return { key: await servedKey({ isOptional: true }, key, context), name };
}

/** The version that we know best; which one is served is for the cluster to say, not for the path. */
function checked({ agentId, fluxResourcePath }: PathArgs): ObjectAddress {
  const { resource, namespace, name } = parseFluxResourcePath(fluxResourcePath);
  const known = FLUX_RESOURCES.find(({ field }) => field === resource.field) ?? resource;
  return { key: { agentId, namespace, resource: known }, name };
}
