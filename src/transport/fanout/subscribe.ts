import { createSourceEventStream, mapSourceToResponseEvent, validateSubscriptionArgs } from 'graphql';
import type { ExecutionArgs, ExecutionResult, ValidatedSubscriptionArgs } from 'graphql';
import { LiveUpdates } from '../../pubsub/live-updates.ts';
import { ObjectUpdates } from '../../pubsub/object-updates.ts';
import type { FanOut } from './fan-out.ts';
import { withoutLateResults } from './late-results.ts';
import type { Outlet } from './outlet.ts';

/**
 * graphql's `subscribe`, except that whoever looks at a feed or at one object of it, through a transport that takes finished frames, is
 * served together with everybody of their shape. All others are executed one by one, also those whose resolver makes
 * something else of a feed's updates: it returns a stream of its own.
 */
export async function subscribeTogether(args: ExecutionArgs, fanOut: FanOut, outlet: Outlet): Promise<Opened> {
  await fanOut.turn(); // thousands may come back at one moment
  return open(args, (validated, live, of) => fanOut.join(validated, live, of, outlet));
}

/** The same for a transport that makes its own frames of results. */
export function subscribeAlone(args: ExecutionArgs): Promise<Opened> {
  return open(args, () => undefined);
}

/** Undefined for what has to be served by itself. */
type Share = (
  args: ValidatedSubscriptionArgs,
  live: LiveUpdates,
  of: 'set' | 'object',
) => AsyncIterable<ExecutionResult> | undefined;

type Opened = ExecutionResult | AsyncIterable<ExecutionResult>;

async function open(args: ExecutionArgs, share: Share): Promise<Opened> {
  const validated = validateSubscriptionArgs(args);
  if (!('schema' in validated)) return { errors: validated };
  const source = await createSourceEventStream(validated);
  if (!(Symbol.asyncIterator in source)) return source;
  try {
    const shared = shareable(source, validated, share);
    return shared ?? withoutLateResults(source, mapSourceToResponseEvent(validated, source));
  } catch (error) {
    await source[Symbol.asyncIterator]().return?.(); // it holds a place, a feed and credentials
    throw error;
  }
}

function shareable(source: object, args: ValidatedSubscriptionArgs, share: Share): ReturnType<Share> {
  if (source instanceof LiveUpdates) return share(args, source, 'set');
  if (!(source instanceof ObjectUpdates) || !(source.updates instanceof LiveUpdates)) return undefined;
  return share(args, source.updates, 'object');
}
