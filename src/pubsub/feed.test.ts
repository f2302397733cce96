import { describe, expect, it } from 'vitest';
import { names, pod } from '../../test/support/objects.ts';
import { settled, VirtualClock } from '../../test/support/virtual-clock.ts';
import { ApiError } from '../errors.ts';
import { PODS } from '../kubernetes/resources.ts';
import type { ReflectorStatus } from '../sources/status.ts';
import { Feed } from './feed.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };

describe('Feed', () => {
  it('tells readers once a turn, however much has changed, and not at all of repeats', async () => {
    const feed = synced();
    await settled();
    let told = 0;
    const stop = feed.onChange(() => (told += 1));
    for (let version = 2; version < 100; version += 1) feed.upsert(pod('a', { resourceVersion: version }));
    expect(told).toBe(0);
    await settled();
    expect(told).toBe(1);
    feed.upsert(pod('a', { resourceVersion: 99 }));
    await settled();
    expect(told).toBe(1);
    stop();
    feed.remove(pod('a', { resourceVersion: 100 }));
    await settled();
    expect(told).toBe(1);
  });

  it('tells those who wait for a first list that it will never come, when it is closed', async () => {
    const feed = new Feed(KEY, new VirtualClock());
    const outcome = feed.ready().catch((error: unknown) => error);
    feed.close();
    expect(await outcome).toMatchObject({ code: 'UPSTREAM_ERROR', retryable: true });
    expect(feed.status.state).toBe('DISCONNECTED');
  });

  it('starts a new epoch when the history was lost, and when a removal turns out to have been wrong', () => {
    const feed = synced();
    const epochs = new Set([feed.revision.epoch]);
    const before = feed.revision;
    feed.replace([pod('a', { resourceVersion: 2 })], '3', 'lost');
    epochs.add(feed.revision.epoch);
    expect(feed.since(before)).toBeUndefined();
    feed.remove(pod('a', { resourceVersion: 4 }));
    feed.upsert(pod('a', { resourceVersion: 5 }));
    epochs.add(feed.revision.epoch);
    expect(names(feed.objects())).toEqual(['a@5']);
    feed.remove(pod('a', { resourceVersion: 6 }));
    feed.replace([pod('a', { resourceVersion: 7 })], '8', 'kept');
    epochs.add(feed.revision.epoch);
    expect(names(feed.objects())).toEqual(['a@7']);
    expect(epochs.size).toBe(4);
    expect(feed.counts.resets).toBe(3);
  });

  it('is fresh when something was heard, and not by the passing of time', async () => {
    const clock = new VirtualClock();
    const feed = new Feed(KEY, clock);
    expect(feed.status.freshAsOf).toBeUndefined();
    feed.replace([], '1', 'kept');
    const first = clock.now();
    await clock.advance(5_000);
    expect(feed.freshAsOf).toBe(first);
    feed.upsert(pod('a'));
    expect(feed.freshAsOf).toBe(first + 5_000);
    await clock.advance(5_000);
    feed.progress();
    expect(feed.status.freshAsOf).toBe(first + 10_000);
  });

  it('is ready with the first complete list, also an empty one', async () => {
    const feed = new Feed(KEY, new VirtualClock());
    const ready = feed.ready();
    feed.report(status(undefined));
    expect(feed.synced).toBe(false);
    feed.replace([], '1', 'kept');
    await expect(ready).resolves.toBeUndefined();
    feed.report(status(new ApiError('FORBIDDEN', 'No.')));
    await expect(feed.ready()).resolves.toBeUndefined();
    expect(feed.failure).toBeUndefined();
  });

  it('is not ready, and says why, when something is in the way of the first list', async () => {
    const error = new ApiError('AGENT_NOT_CONNECTED', 'Away.');
    const feed = new Feed(KEY, new VirtualClock());
    const ready = feed.ready();
    feed.report(status(error));
    await expect(ready).rejects.toBe(error);
    await expect(feed.ready()).rejects.toBe(error);
    expect(feed.failure).toBeUndefined();
    feed.report({ ...status(error), final: true });
    expect(feed.failure).toBe(error);
    expect(feed.status).toMatchObject({ reason: 'AGENT_NOT_CONNECTED', message: 'Away.' });
  });
});

function synced(): Feed {
  const feed = new Feed(KEY, new VirtualClock());
  feed.replace([], '1', 'kept');
  return feed;
}

function status(error: ApiError | undefined): ReflectorStatus {
  const rest = { attempts: 1, nextRetryAt: undefined, transport: undefined, hops: [], final: false };
  return { state: error === undefined ? 'CONNECTING' : 'DISCONNECTED', since: 0, error, ...rest };
}
