import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { Feed } from '../../src/pubsub/feed.ts';
import { RedisBus } from '../../src/pubsub/redis/redis-bus.ts';
import { parseRedisUrl } from '../../src/pubsub/redis/redis-url.ts';
import type { Batch, Beacon, Channel } from '../../src/pubsub/sharing/bus.ts';
import { relative } from '../../src/pubsub/sharing/relative-status.ts';
import { encodeEntry } from '../../src/pubsub/sharing/wire.ts';
import { pod } from '../support/objects.ts';
import { hasRedis, RedisServer } from '../support/processes/redis-server.ts';

const KEY = { agentId: '7', namespace: 'shop', resource: PODS };

/** What Redis itself does for a feed, in scripts: two replicas ask the same real one. */
describe.skipIf(!hasRedis('the scripts of a feed in Redis'))('a feed in Redis', () => {
  let redis: RedisServer;
  let buses: RedisBus[];
  let first: Channel;
  let second: Channel;
  let feed: Feed;
  let feeds = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const address = parseRedisUrl(redis.url);
    buses = [0, 1].map(() => new RedisBus({ address, clock: systemClock, leaseMs: 60_000, onFailed: () => undefined }));
    await Promise.all(buses.map((bus) => bus.start()));
  });
  afterAll(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await redis.close();
  });
  beforeEach(() => {
    feeds += 1;
    const [one, other] = buses.map((bus) => bus.channel(`feed ${feeds}`));
    if (one === undefined || other === undefined) throw new Error('there are two');
    [first, second] = [one, other];
    feed = new Feed(KEY, systemClock);
    feed.replace([pod('a', { resourceVersion: 3 })], '5', 'kept');
  });
  afterEach(() => redis.command('FLUSHALL'));

  it('has one leader at a time, and each fence is higher than all before', async () => {
    const one = await fenceOf(first);
    expect(await second.acquire()).toEqual({ held: false, leader: buses[0]?.replica });
    await first.release(one);
    const two = await fenceOf(second);
    expect(two).toBeGreaterThan(one);
    await second.transfer(two, buses[0]?.replica ?? '');
    expect((await first.position()).fence).toBeGreaterThan(two);
    expect(await second.acquire()).toMatchObject({ held: false });
  });

  it('takes nothing from whoever led before', async () => {
    const one = await fenceOf(first);
    expect(await first.publish(batchOf(one, 0), undefined)).toEqual({ result: 'written' });
    const after = feed.revision;
    await first.release(one);
    const two = await fenceOf(second);
    feed.upsert(pod('late', { resourceVersion: 8 }));
    expect(await first.publish(batchOf(one, after.offset), after)).toEqual({ result: 'fenced' });
    expect(await first.renew(one, beacon(one))).toEqual({ result: 'fenced' });
    await first.release(one);
    expect((await second.position()).leader).toBe(buses[1]?.replica);
    expect(await first.transfer(one, 'somebody')).toBe(false);
    expect(await namesWritten()).toEqual(['a']);
    expect((await second.position()).fence).toBe(two);
  });

  it('takes a batch only where what is written ends', async () => {
    const fence = await fenceOf(first);
    await first.publish(batchOf(fence, 0), undefined);
    const start = feed.revision;
    feed.upsert(pod('b', { resourceVersion: 6 }));
    const between = feed.revision;
    const batch = batchOf(fence, start.offset);
    feed.upsert(pod('c', { resourceVersion: 7 }));
    const gap = await first.publish(batchOf(fence, between.offset), between);
    expect(gap).toEqual({ result: 'elsewhere', head: { epoch: start.epoch, offset: start.offset } });
    expect(await first.publish(batch, start)).toEqual({ result: 'written' });
    expect(await first.publish(batch, start)).toMatchObject({ result: 'elsewhere', head: between });
    expect(await namesWritten()).toEqual(['a', 'b']);
  });

  it('keeps removals apart, and forgets what is before the floor', async () => {
    const fence = await fenceOf(first);
    await first.publish(batchOf(fence, 0), undefined);
    const after = feed.revision;
    feed.remove(pod('a', { resourceVersion: 9 }));
    await first.publish(batchOf(fence, after.offset), after);
    expect(await namesWritten()).toEqual([]);
    expect((await second.read())?.entries.map(({ uid, object }) => [uid, object])).toEqual([['uid-a', undefined]]);
    const then = feed.revision;
    feed.upsert(pod('b', { resourceVersion: 10 }));
    await first.publish({ ...batchOf(fence, then.offset), floor: then.offset }, then);
    expect((await second.read())?.entries.map(({ uid }) => uid)).toEqual(['uid-b']);
  });

  it('shows nobody a collection that is not complete', async () => {
    const fence = await fenceOf(first);
    await first.publish({ ...batchOf(fence, 0), complete: false }, undefined);
    expect((await second.position()).head).toBeUndefined();
    expect(await second.read()).toBeUndefined();
  });

  it('keeps the batches of this leader and of the one before, for those who have missed some, and no others', async () => {
    for (let term = 0; term < 5; term += 1) {
      const [channel, other] = term % 2 === 0 ? [first, second] : [second, first];
      const fence = await fenceOf(channel);
      const after = term === 0 ? undefined : feed.revision;
      if (after !== undefined) feed.upsert(pod('a', { resourceVersion: 10 + term }));
      await channel.publish(batchOf(fence, after?.offset ?? 0), after);
      const kept = await other.batchesAfter(0);
      expect(kept.map((batch) => batch.to)).toEqual(term === 0 ? [1] : [term, term + 1]);
      // By turns, the two ways in which a term ends.
      if (term % 2 === 0) await channel.transfer(fence, buses[1]?.replica ?? '');
      else await channel.release(fence);
    }
  });

  it('leaves no key that stays for ever', async () => {
    const fence = await fenceOf(first);
    await first.publish(batchOf(fence, 0), undefined);
    const after = feed.revision;
    feed.remove(pod('a', { resourceVersion: 9 }));
    await first.publish(batchOf(fence, after.offset), after);
    const keys = await redis.keys();
    expect(keys.map((key) => key.split(':').at(-1))).toEqual(['lease', 'log', 'meta', 'removed']);
    for (const key of keys) expect(Number(await redis.command('PTTL', key))).toBeGreaterThan(0);
  });

  function batchOf(fence: number, from: number): Batch {
    const { revision, lineage, floor, resourceVersion } = feed;
    const entries = feed.entriesAfter(from).map(encodeEntry);
    const { epoch, offset: to } = revision;
    return {
      type: 'batch',
      fence,
      epoch,
      lineage,
      from,
      to,
      floor,
      resourceVersion,
      complete: true,
      lost: false,
      entries,
    };
  }

  function beacon(fence: number): Beacon {
    const status = relative(feed.reported, feed.freshAsOf, systemClock.now());
    return { type: 'beacon', fence, leader: '', head: undefined, resourceVersion: undefined, unpublishedMs: 0, status };
  }

  async function namesWritten(): Promise<string[]> {
    const recorded = await second.read();
    return (recorded?.entries ?? []).flatMap(({ object }) => object?.metadata.name ?? []).toSorted();
  }
});

async function fenceOf(channel: Channel): Promise<number> {
  const acquired = await channel.acquire();
  if (!acquired.held) throw new Error(`${acquired.leader} leads`);
  return acquired.fence;
}
