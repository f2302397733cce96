import { ApiError } from '../errors.ts';
import type { Health, HealthLevel } from '../kubernetes/health.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { FLUX_RESOURCES, PODS, WORKLOAD_RESOURCES, type Resource } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { healthOf } from './derived.ts';
import { BADNESS } from './inventory-health.ts';
import { K8sHealthLevel, K8sObject } from './objects.ts';
import { comingFrom } from './origin.ts';
import { agentArgs, checkScope, feedKey, type Scope } from './scope.ts';
import { servedKey } from './served.ts';

/** What tells how a namespace is. Of what is equally bad, the first here is named first: it is nearest to the cause. */
const CHECKED: readonly { readonly resource: Resource; readonly isOptional: boolean }[] = [
  ...[PODS, ...WORKLOAD_RESOURCES].map((resource) => ({ resource, isOptional: false })),
  ...FLUX_RESOURCES.map((resource) => ({ resource, isOptional: true })),
];
const MAX_CAUSES = 100;

interface Cause {
  readonly object: KubernetesObject;
  readonly health: Health;
}

interface Unchecked {
  readonly kind: string;
  readonly error: ApiError;
}

interface LevelCount {
  readonly level: HealthLevel;
  readonly count: number;
}

export interface NamespaceHealth {
  readonly level: HealthLevel;
  readonly causes: readonly Cause[];
  readonly counts: readonly LevelCount[];
  readonly checked: readonly string[];
  readonly unchecked: readonly Unchecked[];
}

const K8sHealthCause = builder.objectRef<Cause>('K8sHealthCause').implement({
  description: 'An object that is not healthy.',
  fields: (t) => ({
    object: t.expose('object', { type: K8sObject, description: 'The object.' }),
    level: t.field({ type: K8sHealthLevel, description: 'How it is.', resolve: ({ health }) => health.level }),
    reason: t.string({
      nullable: true,
      description: 'A short machine-readable reason. Null when there is none.',
      resolve: ({ health }) => health.reason,
    }),
    message: t.string({
      nullable: true,
      description: 'A sentence for people. Null when there is none.',
      resolve: ({ health }) => health.message,
    }),
  }),
});

const K8sHealthCount = builder.objectRef<LevelCount>('K8sHealthCount').implement({
  description: 'How many objects are how.',
  fields: (t) => ({
    level: t.expose('level', { type: K8sHealthLevel, description: 'How they are.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

const K8sUncheckedKind = builder.objectRef<Unchecked>('K8sUncheckedKind').implement({
  description: 'A kind that was left out.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'The kind.' }),
    code: t.string({
      description: 'Why: FORBIDDEN, or NOT_FOUND when the cluster does not serve it.',
      resolve: ({ error }) => error.code,
    }),
    message: t.string({ description: 'The same for people.', resolve: ({ error }) => error.message }),
  }),
});

const K8sNamespaceHealth = builder.objectRef<NamespaceHealth>('K8sNamespaceHealth').implement({
  description: 'How a namespace is, as far as the caller may see: the worst of what is in it, and why.',
  fields: (t) => ({
    level: t.expose('level', {
      type: K8sHealthLevel,
      description:
        'The worst, in the order DEGRADED, UNKNOWN, PROGRESSING, SUSPENDED, HEALTHY; HEALTHY when there is nothing.',
    }),
    reason: t.string({
      nullable: true,
      description: "The first cause's reason. Null when all is healthy, or it has none.",
      resolve: ({ causes }) => causes[0]?.health.reason,
    }),
    message: t.string({
      nullable: true,
      description: 'The first cause in words: kind, name and message. Null when all is healthy.',
      resolve: ({ causes: [first] }) => first && sentence(first),
    }),
    causes: t.field({
      type: [K8sHealthCause],
      description: `What is not healthy, the worst first, at most ${MAX_CAUSES}; \`counts\` tells of all.`,
      resolve: ({ causes }) => causes.slice(0, MAX_CAUSES),
    }),
    counts: t.expose('counts', {
      type: [K8sHealthCount],
      description: 'All objects by their health, the worst first.',
    }),
    checked: t.exposeStringList('checked', {
      description:
        'The kinds that were looked at: of pods, workloads and Flux those that the caller may list and watch.',
    }),
    unchecked: t.expose('unchecked', {
      type: [K8sUncheckedKind],
      description: 'The kinds that were left out, and why.',
    }),
  }),
});

export function addNamespaceHealth(): void {
  builder.queryField('k8sNamespaceHealth', (t) =>
    t.field({
      type: K8sNamespaceHealth,
      description:
        'How a namespace is, from its pods, workloads and Flux, read from the shared watches. FORBIDDEN when the caller may see none of them.',
      args: {
        ...agentArgs,
        namespace: t.arg.string({ required: true, description: 'The namespace.' }),
      },
      resolve: async (_root, args, context) => {
        const scope = checkScope(args);
        const results = await Promise.allSettled(CHECKED.map((kind) => objectsOf(kind, scope, context)));
        const objects: KubernetesObject[] = [];
        const checked: string[] = [];
        const unchecked: Unchecked[] = [];
        for (const [index, result] of results.entries()) {
          const kind = CHECKED[index]?.resource.kind ?? '';
          if (result.status === 'rejected') {
            unchecked.push({ kind, error: toleratedError(result.reason) });
          } else {
            checked.push(kind);
            objects.push(...result.value);
          }
        }
        const forbidden = unchecked.find(({ error }) => error.code === 'FORBIDDEN');
        if (checked.length === 0 && forbidden !== undefined) throw forbidden.error;
        return { ...namespaceHealth(objects), checked, unchecked };
      },
    }),
  );
}

/** The worst of these objects first; those that are equally bad stay in the order in which they come. */
export function namespaceHealth(
  objects: readonly KubernetesObject[],
): Pick<NamespaceHealth, 'level' | 'causes' | 'counts'> {
  const all = objects.map((object) => ({ object, health: healthOf(object) }));
  const causes = all
    .filter(({ health }) => health.level !== 'HEALTHY')
    .toSorted((a, b) => BADNESS[b.health.level] - BADNESS[a.health.level]);
  const counts = Array.from(
    Map.groupBy(all, ({ health }) => health.level),
    ([level, { length: count }]) => ({ level, count }),
  ).toSorted((a, b) => BADNESS[b.level] - BADNESS[a.level]);
  return { level: causes[0]?.health.level ?? 'HEALTHY', causes, counts };
}

function sentence({ object, health }: Cause): string {
  const what = `${object.kind} ${object.metadata.name}`;
  return `${what}: ${health.message ?? health.reason ?? health.level.toLowerCase()}`;
}

/** The error, when it only says that one kind cannot be looked at; throws it otherwise. */
function toleratedError(error: unknown): ApiError {
  if (error instanceof ApiError && (error.code === 'FORBIDDEN' || error.code === 'NOT_FOUND')) return error;
  throw error;
}

async function objectsOf(
  { resource, isOptional }: (typeof CHECKED)[number],
  scope: Scope,
  context: Context,
): Promise<KubernetesObject[]> {
  const key = await servedKey({ isOptional }, feedKey(resource, scope), context);
  const attachment = await context.gate.attach(context.viewer(), key);
  try {
    await attachment.feed.ready();
    const objects = [...attachment.feed.objects()];
    return comingFrom(
      scope,
      objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
    );
  } finally {
    attachment.release();
  }
}
