import { builder, type KubernetesRef } from './builder.ts';
import type { Context } from './context.ts';
import { K8sFilter, objectFilter, type FilterInput } from './filter.ts';
import type { Kind } from './kind.ts';
import { Listing, type StatusCount } from './listing.ts';
import { registerKind } from './objects.ts';
import { comingFrom } from './origin.ts';
import { K8sOrder, orderOf, type OrderInput } from './order.ts';
import { PageInfo, pageArgs, pageRequest } from './paging.ts';
import { checkAddress, checkScope, feedKey, objectArgs, scopeArgs } from './scope.ts';
import { servedKey } from './served.ts';
import { updateType } from './updates.ts';

const K8sCount = builder.objectRef<StatusCount>('K8sCount').implement({
  description: 'How many objects of the filtered set share a status.',
  fields: (t) => ({
    status: t.exposeString('status', { description: 'The status that they share.' }),
    count: t.exposeInt('count', { description: 'How many they are, at least 1.' }),
  }),
});

/**
 * Gives a kind its three fields: the list (`k8sPods`) with its Connection, one object (`k8sPod`), and the
 * subscription with its Update. `object` is its GraphQL type.
 */
export function addCollection(kind: Kind, object: KubernetesRef): void {
  registerKind(kind.resource, kind.typeName);
  addList(kind, object);
  addOne(kind, object);
  addSubscription(kind, object);
}

function addList(kind: Kind, object: KubernetesRef): void {
  const connection = connectionType(kind, object);
  builder.queryField(kind.resource.field, (t) =>
    t.field({
      type: connection,
      description: `The ${kind.noun.many} of a namespace, or of all. Needs the right to list and watch them. BAD_USER_INPUT names the argument at fault.`,
      args: {
        ...scopeArgs,
        filter: t.arg({ type: K8sFilter, description: 'Which of them. Omitted: all.' }),
        orderBy: t.arg({ type: K8sOrder, description: 'In which order. Omitted: by namespace, then name.' }),
        ...pageArgs,
      },
      resolve: (_root, args, context) => list(kind, args, context),
    }),
  );
}

interface ListArgs {
  agentId: string;
  namespace?: string | null | undefined;
  filter?: FilterInput | null | undefined;
  orderBy?: OrderInput | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}

async function list(kind: Kind, args: ListArgs, context: Context): Promise<Listing> {
  const wanted = feedKey(kind.resource, checkScope(args));
  const filter = objectFilter(args.filter, kind);
  const request = pageRequest(orderOf(args.orderBy, kind), args);
  const key = await servedKey(kind, wanted, context);
  const attachment = await context.gate.attach(context.viewer(), key);
  try {
    await attachment.feed.ready();
    return new Listing(kind, attachment.feed, filter, request, key);
  } finally {
    attachment.release();
  }
}

/** `K8sPodConnection` for `K8sPod`. */
function connectionType(kind: Kind, object: KubernetesRef) {
  const { one, many } = kind.noun;
  return builder.objectRef<Listing>(`${kind.typeName}Connection`).implement({
    description: `The ${many} that match, or a page of them.`,
    fields: (t) => ({
      nodes: t.field({
        type: [object],
        description: `The ${many} of this page, in order; [] when there are none.`,
        resolve: (listing) => listing.page.nodes,
      }),
      totalCount: t.exposeInt('totalCount', { description: `The number of ${many} that match, on all pages.` }),
      pageInfo: t.field({ type: PageInfo, description: 'How to go on.', resolve: (listing) => listing.page }),
      counts: t.field({
        type: [K8sCount],
        description: `The ${many} that match, on all pages, counted by ${kind.status.name}; the most frequent first. A ${one} without one counts as Unknown.`,
        resolve: (listing) => listing.counts,
      }),
      freshAsOf: t.expose('freshAsOf', {
        type: 'DateTime',
        description: 'The last proof that the watch behind this was alive and complete.',
      }),
    }),
  });
}

function addOne(kind: Kind, object: KubernetesRef): void {
  builder.queryField(kind.one, (t) =>
    t.field({
      type: object,
      nullable: true,
      description: `One ${kind.noun.one} by name, or null when there is none. Needs the right to list and watch, or else to get it.`,
      args: objectArgs,
      resolve: async (_root, args, context) => {
        const { key, name } = checkAddress(kind.resource, args);
        const found = await context.gate.get(context.viewer(), await servedKey(kind, key, context), name);
        if (found !== undefined) comingFrom(key, [found]);
        return found;
      },
    }),
  );
}

function addSubscription(kind: Kind, object: KubernetesRef): void {
  const update = updateType(kind, object);
  builder.subscriptionField(kind.resource.field, (t) =>
    t.field({
      type: update,
      description: `The ${kind.noun.many} of a namespace, or of all, live: first everything as a SNAPSHOT, also when that is nothing, then CHANGES. Ends with ACCESS_REVOKED when the right to list and watch them is lost.`,
      args: {
        ...scopeArgs,
        filter: t.arg({ type: K8sFilter, description: 'Which of them. Omitted: all.' }),
        resume: t.arg.string({
          description:
            'The cursor of the last update received: the answer is CHANGES from there, or a SNAPSHOT whose resyncReason says why not.',
        }),
        maxRate: t.arg.float({
          description: 'At most this many updates a second; the latest state wins. Omitted: as they come.',
        }),
      },
      subscribe: async (_root, args, context) => {
        const wanted = feedKey(kind.resource, checkScope(args));
        const filter = objectFilter(args.filter, kind);
        const key = await servedKey(kind, wanted, context);
        return context.gate.subscribe(context.viewer(), key, {
          ...(filter && { filter }),
          resume: args.resume ?? undefined,
          maxRate: args.maxRate ?? undefined,
        });
      },
      resolve: (update, args) => {
        comingFrom(checkScope(args), update.upserted);
        return update;
      },
    }),
  );
}
