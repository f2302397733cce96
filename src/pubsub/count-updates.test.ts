import { expect, it } from 'vitest';
import { pod } from '../../test/support/objects.ts';
import { settled, VirtualClock } from '../../test/support/virtual-clock.ts';
import { Counters } from '../counters.ts';
import { PODS } from '../kubernetes/resources.ts';
import { countUpdates } from './count-updates.ts';
import { Feed } from './feed.ts';
import { LiveUpdates, type LiveOptions } from './live-updates.ts';

it('counts how cursors were answered, what started over and what stood for several', async () => {
  const counters = new Counters();
  const onUpdate = countUpdates(counters);
  const clock = new VirtualClock();
  const feed = new Feed({ agentId: '7', namespace: 'shop', resource: PODS }, clock);
  feed.replace([pod('a')], '1', 'kept');
  const join = (options: LiveOptions = {}) => new LiveUpdates(feed, clock, options, () => undefined, onUpdate);

  const updates = join();
  const resume = (await updates.next()).value?.cursor;
  await join({ resume }).next();
  await join({ resume: 'forged' }).next();
  expect(counters.value('resumes', { result: 'RESUMED' })).toBe(1);
  expect(counters.value('resumes', { result: 'CURSOR_INVALID' })).toBe(1);
  expect(counters.value('resumes')).toBe(2);

  const next = updates.next();
  feed.upsert(pod('a', { resourceVersion: 2 }));
  await next;
  expect(counters.value('updates_coalesced')).toBe(0);
  for (const resourceVersion of [3, 4]) {
    feed.upsert(pod('a', { resourceVersion }));
    await settled();
  }
  await updates.next();
  expect(counters.value('updates_coalesced')).toBe(1);

  feed.replace([pod('b', { resourceVersion: 1 })], '1', 'lost');
  await updates.next();
  expect(counters.value('resyncs', { reason: 'UPSTREAM_RESET' })).toBe(1);
});
