import { buildSchema, parse, subscribe } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { ApiError } from '../../errors.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { Feed } from '../../pubsub/feed.ts';
import { LiveUpdates } from '../../pubsub/live-updates.ts';
import { Mapped } from '../../pubsub/mapped.ts';
import { ManualClock } from '../test-server.ts';
import { withoutLateResults } from './late-results.ts';

const schema = buildSchema('type Query { a: Int } type Subscription { total: Int! }');

/** A subscription to an empty feed, each message of which takes until `finish` to be executed. */
async function slow(seenThrough: (live: LiveUpdates) => AsyncIterableIterator<unknown>) {
  const clock = new ManualClock();
  const feed = new Feed({ agentId: '1', namespace: 'shop', resource: PODS }, clock);
  feed.replace([], '1', 'kept');
  const live = new LiveUpdates(feed, clock, {}, () => undefined);
  const { promise, resolve } = Promise.withResolvers<number>();
  const source = seenThrough(live);
  const field = schema.getSubscriptionType()?.getFields()['total'];
  Object.assign(field ?? {}, { subscribe: () => source, resolve: () => promise });
  const results = await subscribe({ schema, document: parse('subscription { total }') });
  const stream = withoutLateResults(source, results as AsyncIterable<ExecutionResult>);
  return { live, stream, finish: () => resolve(0) };
}

const REVOKED = new ApiError('ACCESS_REVOKED', 'No longer.');

test.each([
  ['a feed', (live: LiveUpdates) => live],
  ['a feed seen through a function', (live: LiveUpdates) => new Mapped(live, (value) => ({ value }))],
])('a result of %s that a revocation has overtaken is not sent: the revocation is', async (_what, seenThrough) => {
  const { live, stream, finish } = await slow(seenThrough);
  const first = stream.next();
  await Promise.resolve();
  live.fail(REVOKED);
  finish();
  await expect(first).rejects.toThrow('No longer.');
});

test('without one it is', async () => {
  const { stream, finish } = await slow((live) => live);
  const first = stream.next();
  finish();
  expect(await first).toEqual({ done: false, value: { data: { total: 0 } } });
});
