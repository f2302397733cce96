import { ApiError, badInput } from '../errors.ts';
import { record, text } from '../kubernetes/json.ts';
import { checkPlural, parseApiVersion } from '../kubernetes/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { refuseSecrets } from '../kubernetes/refused-resources.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { Table } from '../kubernetes/table.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { K8sFilter, objectFilter, type FilterInput } from './filter.ts';
import { K8sGenericObject } from './generic.ts';
import type { Kind } from './kind.ts';
import { Listing } from './listing.ts';
import { ANY_KIND } from './objects.ts';
import { orderOf } from './order.ts';
import { PageInfo, pageArgs, pageRequest } from './paging.ts';
import { cellsOf, firstPage, K8sTableColumn, K8sTableRow } from './resource-table.ts';
import { checkScope, feedKey, scopeArgs } from './scope.ts';

/** Pages of 500 objects that are read for those who may list, but not watch. */
const MAX_LISTED_PAGES = 20;

/** What was found of a collection of any kind. */
interface Found {
  readonly key: FeedKey;
  readonly listing: Listing;
  /** As the cluster prints it; fetched once, when it is asked for. */
  readonly table: () => Promise<Table>;
}

const K8sResourceConnection = builder.objectRef<Found>('K8sResourceConnection').implement({
  description: 'The objects of any collection that match, or a page of them.',
  fields: (t) => ({
    nodes: t.field({
      type: [K8sGenericObject],
      description: 'The objects of this page, by namespace and name; [] when there are none.',
      resolve: ({ listing }) => listing.page.nodes,
    }),
    totalCount: t.int({
      description: 'The number of objects that match, on all pages.',
      resolve: ({ listing }) => listing.totalCount,
    }),
    pageInfo: t.field({ type: PageInfo, description: 'How to go on.', resolve: ({ listing }) => listing.page }),
    freshAsOf: t.field({
      type: 'DateTime',
      description:
        'The last proof that the watch behind this was alive and complete; the time of the list without one.',
      resolve: ({ listing }) => listing.freshAsOf,
    }),
    kind: t.string({ description: 'The kind of the objects.', resolve: ({ key }) => key.resource.kind }),
    namespaced: t.boolean({
      description: 'Whether its objects are in namespaces.',
      resolve: ({ key }) => key.resource.namespaced,
    }),
    columns: t.field({
      type: [K8sTableColumn],
      description:
        'What kubectl would print of them, asked of the cluster with your own credentials; [] when it does not print this kind.',
      resolve: async ({ table }) => (await table()).columns,
    }),
    rows: t.field({
      type: [K8sTableRow],
      description: 'The cells of this page, one row an object of `nodes`, in their order.',
      resolve: ({ key, listing, table }, _args, context) =>
        cellsOf(
          listing.page.nodes.map(({ metadata }) => metadata.uid),
          table(),
          key,
          context,
        ),
    }),
  }),
});

export function addResources(): void {
  builder.queryField('k8sResources', (t) =>
    t.field({
      type: K8sResourceConnection,
      description:
        'The objects of any collection that the cluster serves, also of custom resources. From the shared watch for those who may list and watch it, else from a list with their own credentials. FORBIDDEN for Secrets and ConfigMaps, whoever asks; NOT_FOUND when it is not served.',
      args: {
        ...scopeArgs,
        apiVersion: t.arg.string({ required: true, description: 'Group and version: `apps/v1`; `v1` is core.' }),
        resource: t.arg.string({ required: true, description: "The collection's plural name: `deployments`." }),
        filter: t.arg({ type: K8sFilter, description: 'Which of them. Omitted: all.' }),
        ...pageArgs,
      },
      resolve: (_root, args, context) => find(args, context),
    }),
  );
}

interface ResourcesArgs {
  agentId: string;
  namespace?: string | null | undefined;
  apiVersion: string;
  resource: string;
  filter?: FilterInput | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}

async function find(args: ResourcesArgs, context: Context): Promise<Found> {
  const wanted = checkedKey(args);
  const { resource, verbs } = await context.gate.clusters.named(context.viewer(), wanted);
  if (!resource.namespaced && wanted.namespace !== undefined) {
    throw badInput('namespace', `omitted: ${resource.plural} are in none`);
  }
  if (!verbs.includes('list')) throw badInput('resource', `one that can be listed; ${resource.plural} cannot`);
  const key = { ...wanted, resource };
  const kind = kindOf(resource);
  const filter = objectFilter(args.filter, kind);
  const request = pageRequest(orderOf(undefined, kind), args);
  const isWatched = verbs.includes('watch') && (await context.gate.clusters.mayView(context.viewer(), key));
  const collection = isWatched ? await watched(key, context) : await listed(key, context);
  let table: Promise<Table> | undefined;
  return {
    key,
    listing: new Listing(kind, collection, filter, request, key),
    table: () => (table ??= firstPage(key, context)),
  };
}

type Collection = Pick<Listing, 'freshAsOf'> & { objects(): Iterable<KubernetesObject> };

async function watched(key: FeedKey, context: Context): Promise<Collection> {
  const attachment = await context.gate.attach(context.viewer(), key);
  try {
    await attachment.feed.ready();
    return attachment.feed;
  } finally {
    attachment.release();
  }
}

async function listed(key: FeedKey, context: Context): Promise<Collection> {
  const objects: KubernetesObject[] = [];
  let continueToken: string | undefined;
  for (let page = 0; page < MAX_LISTED_PAGES; page += 1) {
    const table = await context.gate.clusters.table(context.viewer(), key, { withObjects: true, continueToken });
    objects.push(...table.objects);
    ({ continueToken } = table);
    if (continueToken === undefined) return { freshAsOf: context.clock.now(), objects: () => objects };
  }
  throw new ApiError('LIMIT_EXCEEDED', `There are more than ${objects.length} ${key.resource.plural} here.`, {
    remedy: 'Name a namespace, or ask for the right to watch them: then there is no limit.',
  });
}

function checkedKey(args: ResourcesArgs): FeedKey {
  const scope = checkScope(args);
  const { group, version } = parseApiVersion(args.apiVersion);
  const plural = checkPlural(args.resource);
  refuseSecrets({ group, plural });
  const namespaced = scope.namespace !== undefined;
  return feedKey({ field: plural, group, version, plural, kind: '', namespaced }, scope);
}

/** What is counted and filtered by `phases` in any kind. */
function kindOf(resource: Resource): Kind {
  return {
    resource,
    typeName: ANY_KIND,
    one: '',
    noun: { one: resource.kind, many: resource.plural },
    status: { name: 'status.phase', of: (object) => text(record(object.status)['phase']) || undefined },
  };
}
