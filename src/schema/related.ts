import DataLoader from 'dataloader';
import type { GraphQLResolveInfo } from 'graphql';
import { ApiError } from '../errors.ts';
import type { Resource } from '../kubernetes/resources.ts';
import { indexOf, type FeedIndex } from '../pubsub/feed-index.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import type { Context } from './context.ts';
import type { Origin } from './origin.ts';

/** Collections that one query may open beside its own. What would need more stays unresolved. */
export const MAX_RELATED = 20;
/** Objects that one answer may hold beside its own: pods of owners of pods multiply with every level. */
export const MAX_RELATED_OBJECTS = 50_000;

/** A collection beside the one that was asked for, or why it cannot be looked into. */
export type Related =
  | { readonly index: FeedIndex; readonly origin: Origin; readonly problem: undefined }
  | { readonly index: undefined; readonly problem: string };

/** Marks a field whose value depends on what the viewer may see: it is computed for each viewer anew. */
export const VIEWER_DEPENDENT = { viewerDependent: true } as const;

/** What one answer has looked into so far. */
interface Answer {
  readonly loader: DataLoader<FeedKey, Related, string>;
  objects: number;
}

/** By operation, which is one viewer's, and within it by the event that is being answered. */
const operations = new WeakMap<Context, WeakMap<object, Answer>>();

/**
 * A collection that fields lead into. However many objects of a page ask for it, it is joined once. A query opens it;
 * a subscription only looks into what is open already, because what it shows must cost the cluster nothing more.
 * Who may not list and watch it gets a problem in words, and no error.
 */
function related(context: Context, info: GraphQLResolveInfo, key: FeedKey): Promise<Related> {
  return answerOf(context, info).loader.load(key);
}

/** Counts objects that a field adds to its answer. Throws LIMIT_EXCEEDED when they become too many. */
export function addRelated(context: Context, info: GraphQLResolveInfo, objects: number): void {
  const answer = answerOf(context, info);
  answer.objects += objects;
  if (answer.objects <= MAX_RELATED_OBJECTS) return;
  throw new ApiError('LIMIT_EXCEEDED', `The answer would hold more than ${MAX_RELATED_OBJECTS} related objects.`, {
    remedy: 'Ask for fewer at a time (`first`, `filter`), or for fewer levels of owners, pods and services.',
  });
}

/** A query is one answer; a subscription is one with every message, whose event is its root. */
function answerOf(context: Context, info: GraphQLResolveInfo): Answer {
  const live = isLive(info);
  const event: unknown = info.rootValue;
  const key = live && typeof event === 'object' && event !== null ? event : context;
  const answers = operations.get(context) ?? new WeakMap<object, Answer>();
  operations.set(context, answers);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer: Answer = { loader: createLoader(context, live), objects: 0 };
  answers.set(key, answer);
  return answer;
}

/**
 * The collection of a kind in the scope where an object was seen. A subscription also takes that of all namespaces, if
 * it happens to be watched.
 */
export function relatedKind(
  context: Context,
  info: GraphQLResolveInfo,
  origin: Origin,
  resource: Resource,
): Promise<Related> {
  return relatedIn(context, info, { agentId: origin.agentId, resource }, [
    origin.namespace,
    ...(isLive(info) ? [undefined] : []),
  ]);
}

/** The first of these scopes that can be looked into; the problem with the last of them when none can. */
export async function relatedIn(
  context: Context,
  info: GraphQLResolveInfo,
  collection: Pick<FeedKey, 'agentId' | 'resource'>,
  scopes: readonly (string | undefined)[],
): Promise<Related> {
  let found: Related = { index: undefined, problem: 'not asked for' };
  for (const namespace of new Set(scopes)) {
    found = await related(context, info, { ...collection, namespace });
    if (found.index !== undefined) break;
  }
  return found;
}

export function isLive(info: GraphQLResolveInfo): boolean {
  return info.operation.operation === 'subscription';
}

function createLoader(context: Context, live: boolean): DataLoader<FeedKey, Related, string> {
  const known = new Set<string>();
  const look = async (key: FeedKey): Promise<Related> => {
    if (!live) known.add(feedId(key));
    if (known.size > MAX_RELATED) return { index: undefined, problem: `more than ${MAX_RELATED} collections` };
    try {
      return live ? await peek(context, key) : await join(context, key);
    } catch (error) {
      if (error instanceof ApiError) return { index: undefined, problem: error.message };
      throw error;
    }
  };
  return new DataLoader<FeedKey, Related, string>((keys) => Promise.all(keys.map(look)), {
    cacheKeyFn: feedId,
    batch: false,
  });
}

async function join(context: Context, key: FeedKey): Promise<Related> {
  const attachment = await context.gate.attach(context.viewer(), key);
  try {
    await attachment.feed.ready();
    return { index: indexOf(attachment.feed), origin: key, problem: undefined };
  } finally {
    attachment.release();
  }
}

async function peek(context: Context, key: FeedKey): Promise<Related> {
  const feed = await context.gate.clusters.peek(context.viewer(), key);
  return feed === undefined
    ? { index: undefined, problem: 'not watched' }
    : { index: indexOf(feed), origin: key, problem: undefined };
}
