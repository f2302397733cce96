import { ApiError } from '../errors.ts';
import { applicationGroups, worstHealth, type ApplicationGroup } from '../kubernetes/applications.ts';
import { record, text } from '../kubernetes/json.ts';
import { selectorMatches } from '../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { DEPLOYMENTS, PODS, SERVICES, STATEFUL_SETS, type Resource } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { healthOf } from './derived.ts';
import { K8sHealthLevel, K8sObject } from './objects.ts';
import { comingFrom } from './origin.ts';
import { checkScope, scopeArgs, type Scope } from './scope.ts';

/** Where the parts of applications are looked for. */
const PARTS = [DEPLOYMENTS, STATEFUL_SETS, SERVICES, PODS];
const APPLICATION_GROUP = 'app.k8s.io';

interface Application extends ApplicationGroup {
  readonly source: 'APPLICATION' | 'LABELS';
}

interface KindCount {
  readonly kind: string;
  readonly count: number;
}

const K8sKindCount = builder.objectRef<KindCount>('K8sKindCount').implement({
  description: 'How many parts of an application are of a kind.',
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'The kind.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

const K8sApplicationSource = builder.enumType('K8sApplicationSource', {
  description: 'What says that there is an application.',
  values: {
    APPLICATION: { description: 'An object of kind Application (app.k8s.io/v1beta1).' },
    LABELS: { description: 'The labels app.kubernetes.io/part-of, instance or name of its parts.' },
  },
});

const K8sApplication = builder.objectRef<Application>('K8sApplication').implement({
  description: 'What belongs together: an application that is installed in a namespace.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    namespace: t.exposeString('namespace', { description: 'Its namespace.' }),
    source: t.expose('source', { type: K8sApplicationSource, description: 'What says that there is one.' }),
    version: t.exposeString('version', {
      nullable: true,
      description: 'Its version. Null when its parts disagree or do not say.',
    }),
    managedBy: t.exposeString('managedBy', {
      nullable: true,
      description: 'What installed it, such as `Helm`. Null when unknown.',
    }),
    health: t.field({
      type: K8sHealthLevel,
      description: 'The worst health of its parts.',
      resolve: ({ objects }) => worstHealth(objects.map(healthOf)),
    }),
    counts: t.field({
      type: [K8sKindCount],
      description: 'Its parts by kind.',
      resolve: ({ objects }) =>
        Array.from(
          Map.groupBy(objects, ({ kind }) => kind),
          ([kind, { length: count }]) => ({ kind, count }),
        ),
    }),
    objects: t.field({
      type: [K8sObject],
      description:
        'Its parts, as far as the caller may list and watch them: Deployments, StatefulSets, Services, Pods.',
      resolve: ({ objects }) => objects,
    }),
  }),
});

export function addApplications(): void {
  builder.queryField('k8sApplications', (t) =>
    t.field({
      type: [K8sApplication],
      description:
        'The applications of a namespace, or of all: by objects of kind Application where the cluster has them, else by the app.kubernetes.io labels. From the shared watches.',
      args: scopeArgs,
      resolve: async (_root, args, context) => {
        const scope = checkScope(args);
        const parts = await partsOf(scope, context);
        return (await declared(scope, parts, context)) ?? applicationGroups(parts).map(byLabels);
      },
    }),
  );
}

function byLabels(group: ApplicationGroup): Application {
  return { ...group, source: 'LABELS' };
}

/** What the caller may see of them. FORBIDDEN only when that is nothing at all. */
async function partsOf(scope: Scope, context: Context): Promise<KubernetesObject[]> {
  const found = await Promise.allSettled(PARTS.map((resource) => objectsOf(resource, scope, context)));
  const readable = found.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const refused = found.find((result) => result.status === 'rejected');
  const isMissingRight = refused?.reason instanceof ApiError && refused.reason.code === 'FORBIDDEN';
  if (refused !== undefined && (!isMissingRight || readable.length === 0)) throw refused.reason as Error;
  return readable.flat();
}

/** By Applications and their selectors; undefined where there are none that the caller may see. */
async function declared(
  scope: Scope,
  parts: readonly KubernetesObject[],
  context: Context,
): Promise<Application[] | undefined> {
  const resource = await context.gate.clusters.ofKind(
    context.viewer(),
    scope.agentId,
    APPLICATION_GROUP,
    'Application',
  );
  if (resource === undefined) return undefined;
  let applications: KubernetesObject[];
  try {
    applications = await objectsOf(resource, scope, context);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'FORBIDDEN') return undefined;
    throw error;
  }
  if (applications.length === 0) return undefined;
  return applications.map((application) => ({
    name: application.metadata.name,
    namespace: application.metadata.namespace ?? '',
    source: 'APPLICATION',
    version: text(record(record(application.spec)['descriptor'])['version']) || undefined,
    managedBy: application.metadata.labels?.['app.kubernetes.io/managed-by'],
    objects: parts.filter(
      (part) =>
        part.metadata.namespace === application.metadata.namespace &&
        selectorMatches(application, part.metadata.labels),
    ),
  }));
}

async function objectsOf(resource: Resource, scope: Scope, context: Context): Promise<KubernetesObject[]> {
  const attachment = await context.gate.attach(context.viewer(), { ...scope, resource });
  try {
    await attachment.feed.ready();
    return comingFrom(scope, [...attachment.feed.objects()]);
  } finally {
    attachment.release();
  }
}
