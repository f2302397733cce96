import { createSourceEventStream, mapSourceToResponseEvent, validateSubscriptionArgs } from 'graphql';
import type { ExecutionArgs, ExecutionResult, ValidatedSubscriptionArgs } from 'graphql';
import { LiveUpdates } from '../../pubsub/live-updates.ts';
import type { FanOut } from './fan-out.ts';
import { withoutLateResults } from './late-results.ts';
import type { Outlet } from './outlet.ts';

/**
 * graphql's `subscribe`, except that whoever looks at a feed, through a transport that takes finished frames, is
 * served together with everybody of their shape. All others are executed one by one, also those whose resolver makes
 * something else of a feed's updates: it returns a stream of its own.
 */
export function subscribeTogether(args: ExecutionArgs, fanOut: FanOut, outlet: Outlet): Promise<Opened> {
  return open(args, (validated, live) => fanOut.join(validated, live, outlet));
}

/** The same for a transport that makes its own frames of results. */
export function subscribeAlone(args: ExecutionArgs): Promise<Opened> {
  return open(args, () => undefined);
}

type Opened = ExecutionResult | AsyncIterable<ExecutionResult>;

async function open(
  args: ExecutionArgs,
  share: (validated: ValidatedSubscriptionArgs, live: LiveUpdates) => AsyncIterable<ExecutionResult> | undefined,
): Promise<Opened> {
  const validated = validateSubscriptionArgs(args);
  if (!('schema' in validated)) return { errors: validated };
  const source = await createSourceEventStream(validated);
  if (!(Symbol.asyncIterator in source)) return source;
  const shared = source instanceof LiveUpdates ? share(validated, source) : undefined;
  return shared ?? withoutLateResults(source, mapSourceToResponseEvent(validated, source));
}
