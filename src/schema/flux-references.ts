import type { GraphQLResolveInfo } from 'graphql';
import { isDependencyReady } from '../kubernetes/flux-dependency.ts';
import { fluxDependencies, fluxSource, type FluxReference } from '../kubernetes/flux-references.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { FLUX_RESOURCES } from '../kubernetes/resources.ts';
import { builder, type KubernetesRef } from './builder.ts';
import type { Context } from './context.ts';
import { fluxSyncOf } from './derived.ts';
import { FluxSyncStatus } from './flux-object.ts';
import { K8sObject } from './objects.ts';
import { originOf } from './origin.ts';
import { VIEWER_DEPENDENT } from './related.ts';
import { objectNamed, type Named } from './relations.ts';

/** Another object that an object of Flux names. */
export interface Reference extends FluxReference {
  readonly from: KubernetesObject;
}

const LIVE = 'In a subscription, only if that collection is watched already.';

export const FluxObjectRefInfo = builder.objectRef<Reference>('FluxObjectRefInfo').implement({
  description: 'Another object of Flux that an object names, and how that one is, as far as you may see it.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'Its kind, such as GitRepository.' }),
    namespace: t.exposeString('namespace', {
      nullable: true,
      description: 'Its namespace: that of the object which names it, unless another is given.',
    }),
    name: t.exposeString('name', { description: 'Its name.' }),
    object: t.field({
      type: K8sObject,
      nullable: true,
      description: `The object itself; null when it does not exist, or you may not see it. ${LIVE}`,
      extensions: VIEWER_DEPENDENT,
      resolve: async (reference, _args, context, info) => (await find(reference, context, info)).object,
    }),
    syncStatus: t.field({
      type: FluxSyncStatus,
      nullable: true,
      description: `How it stands; null when \`object\` is. ${LIVE}`,
      extensions: VIEWER_DEPENDENT,
      resolve: async (reference, _args, context, info) => {
        const { object } = await find(reference, context, info);
        return object && fluxSyncOf(object).status;
      },
    }),
    ready: t.boolean({
      nullable: true,
      description: `Whether Flux goes on with what depends on it: it has seen the current spec and says Ready. False when it does not exist, null when you may not see it. ${LIVE}`,
      extensions: VIEWER_DEPENDENT,
      resolve: async (reference, _args, context, info) => readiness(await find(reference, context, info)),
    }),
    problem: t.string({
      nullable: true,
      description: 'Why `object` is null, in words: it does not exist, you may not see it, it is not watched.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (reference, _args, context, info) => {
        const { object, problem } = await find(reference, context, info);
        return problem ?? (object === undefined ? 'does not exist' : null);
      },
    }),
  }),
});

/** `source`, `dependsOn` and `blockedBy`, for those that apply something. */
export function addReferences(type: KubernetesRef): void {
  builder.objectFields(type, (t) => ({
    source: t.field({
      type: FluxObjectRefInfo,
      nullable: true,
      description: 'Where it takes from what it applies. Null when it names nothing.',
      resolve: (object) => {
        const source = fluxSource(object);
        return source && { ...source, from: object };
      },
    }),
    dependsOn: t.field({
      type: [FluxObjectRefInfo],
      description: 'What has to be ready before it is reconciled, in the order of the spec.',
      resolve: dependenciesOf,
    }),
    blockedBy: t.field({
      type: FluxObjectRefInfo,
      nullable: true,
      description: `The first of \`dependsOn\` that is not ready, or does not exist. Null when all are ready that you may see. ${LIVE}`,
      extensions: VIEWER_DEPENDENT,
      resolve: async (object, _args, context, info) => {
        const found = dependenciesOf(object).map(async (reference) => ({
          reference,
          ready: readiness(await find(reference, context, info)),
        }));
        return (await Promise.all(found)).find(({ ready }) => ready === false)?.reference;
      },
    }),
  }));
}

function dependenciesOf(object: KubernetesObject): Reference[] {
  return fluxDependencies(object).map((each) => ({ ...each, from: object }));
}

/** Undefined when it is not known. */
function readiness({ object, problem }: Named): boolean | undefined {
  if (problem !== undefined) return undefined;
  return object !== undefined && isDependencyReady(object);
}

async function find(
  { from, kind, namespace, name }: Reference,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Named> {
  const group = FLUX_RESOURCES.find((each) => each.kind === kind)?.group;
  if (group === undefined) return { object: undefined, problem: `${kind} is no kind of Flux` };
  return objectNamed(originOf(from), { group, kind, namespace, name }, context, info);
}
