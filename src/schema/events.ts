import { badInput } from '../errors.ts';
import { foldEvents, foldKey, type FoldedEvent } from '../kubernetes/folded-events.ts';
import { EVENTS } from '../kubernetes/resources.ts';
import { eventOf } from '../pubsub/event-groups.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { eventFilter, type EventType } from './event-filter.ts';
import { idOfKey, K8sEvent, K8sEventType } from './event-types.ts';
import { followEvents, K8sEventsUpdate } from './event-updates.ts';
import { checkObjectRef, K8sObjectRef, type ObjectRefInput } from './object-ref.ts';
import { MAX_PAGE, PageInfo, pageArgs } from './paging.ts';
import { agentArgs, checkScope, feedKey } from './scope.ts';

interface EventPage {
  readonly nodes: readonly FoldedEvent[];
  readonly totalCount: number;
  readonly hasNextPage: boolean;
  readonly endCursor: string | null;
  readonly freshAsOf: number;
}

const K8sEventConnection = builder.objectRef<EventPage>('K8sEventConnection').implement({
  description: 'The events that match, or a page of them; the newest first.',
  fields: (t) => ({
    nodes: t.field({ type: [K8sEvent], description: 'The events of this page.', resolve: ({ nodes }) => nodes }),
    totalCount: t.exposeInt('totalCount', { description: 'The number of events that match, on all pages, folded.' }),
    pageInfo: t.field({ type: PageInfo, description: 'How to go on.', resolve: (page) => page }),
    freshAsOf: t.expose('freshAsOf', {
      type: 'DateTime',
      description: 'The last proof that the watch behind this was alive and complete.',
    }),
  }),
});

const eventArgs = builder.args((t) => ({
  namespace: t.string({ required: true, description: 'The namespace whose events are meant.' }),
  involvedObject: t.field({
    type: K8sObjectRef,
    description:
      'Only events about this object: by `uid` when it is given, else by kind and name. Its `namespace` must be the same.',
  }),
  type: t.field({ type: K8sEventType, description: 'Only events of this type. Omitted or null: all.' }),
}));

interface EventArgs {
  agentId: string;
  namespace: string;
  involvedObject?: ObjectRefInput | null | undefined;
  type?: EventType | null | undefined;
}

export function addEvents(): void {
  builder.queryField('k8sEvents', (t) =>
    t.field({
      type: K8sEventConnection,
      description: 'What happened in a namespace, or to one object. Needs the right to list and watch events.',
      args: { ...agentArgs, ...eventArgs, ...pageArgs },
      resolve: (_root, args, context) => list(args, context),
    }),
  );

  builder.subscriptionField('k8sEvents', (t) =>
    t.field({
      type: K8sEventsUpdate,
      description:
        'The same, live: first everything as a SNAPSHOT, then CHANGES. However many objects are looked at, the namespace carries one watch of its events.',
      args: {
        ...agentArgs,
        ...eventArgs,
        resume: t.arg.string({ description: 'The cursor of the last update received, to go on from there.' }),
      },
      subscribe: (_root, args, context) => {
        const { key, filter } = checkArgs(args);
        return followEvents(context, key, filter, args.resume ?? undefined);
      },
      resolve: (update) => update,
    }),
  );
}

function checkArgs(args: EventArgs) {
  const scope = checkScope(args);
  const about = args.involvedObject == null ? undefined : checkObjectRef(args.involvedObject, 'involvedObject');
  if (about !== undefined && about.namespace !== scope.namespace) {
    throw badInput('involvedObject.namespace', 'the same as `namespace`: events are kept beside what they are about');
  }
  return { key: feedKey(EVENTS, scope), filter: eventFilter(about, args.type ?? undefined) };
}

interface ListArgs extends EventArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
}

async function list(args: ListArgs, context: Context): Promise<EventPage> {
  const { key, filter } = checkArgs(args);
  const first = args.first ?? undefined;
  if (first !== undefined && (first < 1 || first > MAX_PAGE)) throw badInput('first', `a number from 1 to ${MAX_PAGE}`);
  const after = args.after == null ? undefined : decodePlace(args.after);
  const attachment = await context.gate.attach(context.viewer(), key);
  const { feed } = attachment;
  try {
    await feed.ready();
    const matching = filter === undefined ? [...feed.objects()] : [...feed.objects()].filter(filter.matches);
    const folded = foldEvents(matching.map(eventOf)).map((event) => ({ event, place: placeOf(event) }));
    const rest = folded.filter(({ place }) => after === undefined || comparePlaces(place, after) > 0);
    const sorted = rest.toSorted((a, b) => comparePlaces(a.place, b.place));
    const page = first === undefined ? sorted : sorted.slice(0, first);
    const last = page.at(-1);
    return {
      nodes: page.map(({ event }) => event),
      totalCount: folded.length,
      hasNextPage: page.length < sorted.length,
      endCursor: last === undefined ? null : encodePlace(last.place),
      freshAsOf: feed.freshAsOf,
    };
  } finally {
    attachment.release();
  }
}

/** Where an event stands: by its last time, the newest first, then by its id. */
interface Place {
  /** Milliseconds since 1970; 0 when there is none. */
  readonly time: number;
  readonly id: string;
}

function placeOf(event: FoldedEvent): Place {
  return { time: event.lastAt === undefined ? 0 : Date.parse(event.lastAt), id: idOfKey(foldKey(event)) };
}

function comparePlaces(a: Place, b: Place): number {
  return b.time - a.time || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function encodePlace({ time, id }: Place): string {
  return Buffer.from(`e.${time}.${id}`).toString('base64url');
}

function decodePlace(cursor: string): Place {
  const text = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  const [, time, id] = /^e\.(\d{1,16})\.([\w-]{22})$/.exec(text) ?? [];
  if (time === undefined || id === undefined) throw badInput('after', 'the endCursor of an earlier page');
  return { time: Number(time), id };
}
