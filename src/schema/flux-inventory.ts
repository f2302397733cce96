import type { GraphQLResolveInfo } from 'graphql';
import type { Health } from '../kubernetes/health.ts';
import { inventoryOf } from '../kubernetes/inventory.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isRefusedKind } from '../kubernetes/refused-resources.ts';
import { builder, type KubernetesRef } from './builder.ts';
import type { Context } from './context.ts';
import { healthOf } from './derived.ts';
import { rollUp, type InventoryHealth, type ResolvedEntry } from './inventory-health.ts';
import { K8sHealth, K8sHealthLevel, K8sObject } from './objects.ts';
import { originOf } from './origin.ts';
import { isLive, VIEWER_DEPENDENT } from './related.ts';
import { objectNamed } from './relations.ts';

/** One object of an inventory, which is looked for once however many of its fields are asked for. */
interface Entry {
  readonly id: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly group: string;
  readonly version: string | undefined;
  readonly kind: string;
  readonly resolve: (context: Context, info: GraphQLResolveInfo) => Promise<ResolvedEntry>;
}

const MISSING: Health = {
  level: 'DEGRADED',
  reason: 'Missing',
  message: 'It is in the inventory, but does not exist in the cluster.',
};

const K8sInventoryEntry = builder.objectRef<Entry>('K8sInventoryEntry').implement({
  description: 'An object that Flux has applied, named, and shown as far as you may see it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'As Flux writes it: `<namespace>_<name>_<group>_<kind>`.' }),
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null for cluster-scoped objects.' }),
    name: t.exposeString('name', { description: 'Its name; the whole id when that cannot be understood.' }),
    group: t.exposeString('group', { description: 'Its API group; empty for core.' }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'The version it was applied in. Null when that is not written down.',
    }),
    kind: t.exposeString('kind', { description: 'Its kind; empty when the id cannot be understood.' }),
    object: t.field({
      type: K8sObject,
      nullable: true,
      description:
        'The live object. Null when it does not exist, when you may not list and watch its kind there, and for Secrets and ConfigMaps: `problem` says which. In a subscription, only if its kind is watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (entry, _args, context, info) => (await entry.resolve(context, info)).object,
    }),
    health: t.field({
      type: K8sHealth,
      nullable: true,
      description: 'How it is: DEGRADED when it does not exist. Null when it cannot be seen.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (entry, _args, context, info) => (await entry.resolve(context, info)).health,
    }),
    problem: t.string({
      nullable: true,
      description: 'Why `object` is null, in words. Null when it is not.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (entry, _args, context, info) => (await entry.resolve(context, info)).problem,
    }),
  }),
});

const K8sInventoryHealth = builder.objectRef<InventoryHealth<Entry>>('K8sInventoryHealth').implement({
  description: 'How everything is that an object of Flux has applied, taken together.',
  fields: (t) => ({
    level: t.expose('level', {
      type: K8sHealthLevel,
      description:
        'The worst of those seen, in the order DEGRADED, UNKNOWN, PROGRESSING, SUSPENDED, HEALTHY; UNKNOWN when there are some and none can be seen.',
    }),
    total: t.exposeInt('total', { description: 'Objects in the inventory.' }),
    healthy: t.exposeInt('healthy', { description: 'Those that are healthy.' }),
    unseen: t.exposeInt('unseen', { description: 'Those that cannot be seen, and do not count.' }),
    cause: t.field({
      type: K8sInventoryEntry,
      nullable: true,
      description: 'The first of the worst. Null when all that can be seen is healthy.',
      resolve: ({ cause }) => cause,
    }),
  }),
});

/** `inventory` and `inventoryHealth`, for those that apply something. */
export function addInventory(type: KubernetesRef): void {
  builder.objectFields(type, (t) => ({
    inventory: t.field({
      type: [K8sInventoryEntry],
      description: 'Everything that it has applied, in any namespace and of any kind (status.inventory).',
      resolve: entriesOf,
    }),
    inventoryHealth: t.field({
      type: K8sInventoryHealth,
      nullable: true,
      description: 'How that is, taken together. Only in queries: null in a subscription.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (object, _args, context, info) => {
        if (isLive(info)) return null;
        const entries = entriesOf(object);
        const resolved = await Promise.all(entries.map((entry) => entry.resolve(context, info)));
        return rollUp(entries, resolved);
      },
    }),
  }));
}

function entriesOf(object: KubernetesObject): Entry[] {
  const { entries, malformed } = inventoryOf(object);
  const unreadable = malformed.map(({ id, problem }) => ({
    id,
    namespace: undefined,
    name: id,
    group: '',
    version: undefined,
    kind: '',
    resolve: () => Promise.resolve(unseen(problem)),
  }));
  const readable = entries.map((entry) => ({
    ...entry,
    resolve: once((context, info) => resolveEntry(object, entry, context, info)),
  }));
  return [...readable, ...unreadable];
}

async function resolveEntry(
  owner: KubernetesObject,
  { namespace, name, group, kind }: Pick<Entry, 'namespace' | 'name' | 'group' | 'kind'>,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<ResolvedEntry> {
  if (isRefusedKind(group, kind)) return unseen(`Kascade never shows ${kind}s`);
  const entry = { namespace, name, group, kind };
  const { object, problem } = await objectNamed(originOf(owner), entry, context, info);
  if (problem !== undefined) return unseen(problem);
  if (object === undefined) return { object, health: MISSING, problem: 'does not exist' };
  return { object, health: healthOf(object), problem: undefined };
}

function unseen(problem: string): ResolvedEntry {
  return { object: undefined, health: undefined, problem };
}

/** Entries are made anew for each answer, so what one has found is never told to somebody else. */
function once(resolve: Entry['resolve']): Entry['resolve'] {
  let found: Promise<ResolvedEntry> | undefined;
  return (context, info) => (found ??= resolve(context, info));
}
