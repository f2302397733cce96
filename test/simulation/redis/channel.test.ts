import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { Batch, Beacon, Channel, Message } from '../../../src/pubsub/sharing/bus.ts';
import { RedisBus } from '../../../src/pubsub/redis/redis-bus.ts';
import { parseRedisUrl } from '../../../src/pubsub/redis/redis-url.ts';
import { encodeEntry } from '../../../src/pubsub/sharing/wire.ts';
import { eventually } from '../../support/eventually.ts';
import { pod } from '../../support/objects.ts';
import { hasRedis, RedisServer } from '../../support/processes/redis-server.ts';
import { Chance } from '../chance.ts';
import { Cluster } from '../cluster/cluster.ts';
import { Journal } from '../journal.ts';
import { Replica } from '../replica.ts';
import { Timeline } from '../timeline.ts';
import { SimulatedRedis } from './server.ts';

const LEASE_MS = 1_000;

/** A Redis, real or not, with two replicas that share a channel. */
interface Pair {
  readonly one: RedisBus;
  readonly other: RedisBus;
  /** Lets what has been sent arrive, and timers of so many milliseconds fire. */
  pass(milliseconds: number): Promise<void>;
  /** Settles what takes time. */
  settle<T>(promise: Promise<T>): Promise<T>;
  refuseMemory(isRefused: boolean): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What the simulated Redis does must be what Redis does, or the simulation proves nothing. */
describe.each([
  ['a real Redis', realPair, !hasRedis('what replicas share, on a real Redis')],
  ['the simulated Redis', simulatedPair, false],
] as const)('what replicas share, on %s', (_name, make, isSkipped) => {
  let pair: Pair;
  let feeds = 0;

  beforeAll(async () => {
    if (!isSkipped) pair = await make();
  });
  afterAll(async () => {
    if (!isSkipped) await pair.close();
  });

  function channels(): { a: Channel; b: Channel; heard: Message[]; hear: () => Promise<void> } {
    feeds += 1;
    const [a, b] = [pair.one.channel(`feed ${feeds}`), pair.other.channel(`feed ${feeds}`)];
    const heard: Message[] = [];
    const hear = () => pair.settle(b.listen({ message: (message) => heard.push(message), interrupted: () => {} }));
    return { a, b, heard, hear };
  }

  const until = async (condition: () => boolean) => {
    await pair.pass(350);
    await eventually('it is heard', condition, 2_000);
  };

  it.skipIf(isSkipped)('has one lease, which runs out and is told of', async () => {
    const { a, b, heard, hear } = channels();
    await hear();
    const first = await pair.settle(a.acquire());
    expect(first).toMatchObject({ held: true, head: undefined });
    expect(await pair.settle(b.acquire())).toEqual({ held: false, leader: pair.one.replica });
    await until(() => heard.length === 1);
    expect(heard).toMatchObject([{ type: 'taken', leader: pair.one.replica }]);
    await pair.pass(LEASE_MS + 100);
    const second = await pair.settle(b.acquire());
    if (!first.held || !second.held) throw new Error('not held');
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(await pair.settle(a.renew(first.fence, beacon(first.fence)))).toEqual({ result: 'fenced' });
    expect(await pair.settle(a.publish(batch(first.fence, 0, 1), undefined))).toEqual({ result: 'fenced' });
  });

  it.skipIf(isSkipped)('writes batches one after the other, tells them, and reads them back', async () => {
    const { a, b, heard, hear } = channels();
    await hear();
    const fence = await led(a);
    const written = { result: 'written' };
    expect(await pair.settle(a.publish(batch(fence, 0, 2), undefined))).toEqual(written);
    expect(await pair.settle(a.publish(batch(fence, 2, 3), at(2)))).toEqual(written);
    const elsewhere = await pair.settle(a.publish(batch(fence, 4, 5), at(4)));
    expect(elsewhere).toEqual({ result: 'elsewhere', head: at(3) });
    await until(() => heard.length === 3);
    expect(heard.slice(1)).toEqual([batch(fence, 0, 2), batch(fence, 2, 3)]);
    const recorded = await pair.settle(b.read());
    expect(recorded?.head).toMatchObject({ ...at(3), floor: 0, resourceVersion: '103' });
    expect(recorded?.entries.map(({ uid, offset }) => [uid, offset])).toEqual([
      ['uid-1', 1],
      ['uid-2', 2],
      ['uid-3', 3],
    ]);
    expect(await pair.settle(b.batchesAfter(2))).toEqual([batch(fence, 2, 3)]);
    expect((await pair.settle(b.position())).leader).toBe(pair.one.replica);
  });

  it.skipIf(isSkipped)('keeps removals until they are below the floor', async () => {
    const { a, b } = channels();
    const fence = await led(a);
    await pair.settle(a.publish(batch(fence, 0, 2), undefined));
    await pair.settle(a.publish({ ...batch(fence, 2, 3), entries: [removal(1, 3)] }, at(2)));
    const uids = async () =>
      (await pair.settle(b.read()))?.entries.map(({ uid, object }) => [uid, object !== undefined]);
    expect(await uids()).toEqual([
      ['uid-2', true],
      ['uid-1', false],
    ]);
    await pair.settle(a.publish({ ...batch(fence, 3, 4), floor: 3 }, at(3)));
    expect(await uids()).toEqual([
      ['uid-2', true],
      ['uid-4', true],
    ]);
    // A later leader may remember removals for longer; they are not written any more for all that.
    await pair.settle(a.publish({ ...batch(fence, 4, 5), floor: 0 }, at(4)));
    expect((await pair.settle(b.position())).head?.floor).toBe(3);
    await pair.settle(a.publish({ ...batch(fence, 0, 5), floor: 0 }, undefined));
    expect((await pair.settle(b.position())).head?.floor).toBe(0);
  });

  it.skipIf(isSkipped)('forgets what was not complete with the next leader, and goes on from what was', async () => {
    const { a, b } = channels();
    const first = await led(a);
    await pair.settle(a.publish({ ...batch(first, 0, 2), complete: false }, undefined));
    expect((await pair.settle(b.position())).head).toBeUndefined();
    await pair.settle(a.release(first));
    const second = await led(b);
    expect(await pair.settle(b.publish(batch(second, 2, 3), at(2)))).toEqual({ result: 'elsewhere', head: undefined });
    await pair.settle(b.publish(batch(second, 0, 2), undefined));
    await pair.settle(b.release(second));
    expect(await pair.settle(a.acquire())).toMatchObject({ held: true, head: at(2) });
  });

  it.skipIf(isSkipped)('hands the lease to another, under another fence', async () => {
    const { a, b, heard, hear } = channels();
    await hear();
    const fence = await led(a);
    expect(await pair.settle(a.transfer(fence, pair.other.replica))).toBe(true);
    expect(await pair.settle(a.transfer(fence, pair.other.replica))).toBe(false);
    await until(() => heard.length === 2);
    expect(heard[1]).toMatchObject({ type: 'taken', leader: pair.other.replica });
    expect(await pair.settle(a.publish(batch(fence, 0, 1), undefined))).toEqual({ result: 'fenced' });
    expect(await pair.settle(b.acquire())).toMatchObject({ held: true });
  });

  it.skipIf(isSkipped)(
    'says when renewing that its log ends elsewhere, and leaves the version alone then',
    async () => {
      const { a, b } = channels();
      const fence = await led(a);
      expect(await pair.settle(a.renew(fence, beacon(fence)))).toEqual({ result: 'kept' });
      await pair.settle(a.publish(batch(fence, 0, 2), undefined));
      expect(await pair.settle(a.renew(fence, beacon(fence, 3)))).toEqual({ result: 'elsewhere', head: at(2) });
      expect((await pair.settle(b.position())).head?.resourceVersion).toBe('102');
      expect(await pair.settle(a.renew(fence, { ...beacon(fence, 2), resourceVersion: '110' }))).toEqual({
        result: 'kept',
      });
      expect((await pair.settle(b.position())).head?.resourceVersion).toBe('110');
    },
  );

  it.skipIf(isSkipped)('knows nothing after it was emptied', async () => {
    const { a, b } = channels();
    const fence = await led(a);
    await pair.settle(a.publish(batch(fence, 0, 2), undefined));
    await pair.flush();
    expect(await pair.settle(a.renew(fence, beacon(fence, 2)))).toEqual({ result: 'emptied' });
    expect(await pair.settle(a.publish(batch(fence, 2, 3), at(2)))).toEqual({ result: 'emptied' });
    expect(await pair.settle(b.read())).toBeUndefined();
    expect((await led(a)) > fence).toBe(true);
  });

  it.skipIf(isSkipped)('out of memory, writes all of a batch or nothing', async () => {
    const { a, b } = channels();
    const fence = await led(a);
    await pair.settle(a.publish(batch(fence, 0, 2), undefined));
    await pair.refuseMemory(true);
    await expect(pair.settle(a.publish(batch(fence, 2, 3), at(2)))).rejects.toThrow('OOM');
    await expect(pair.settle(a.renew(fence, beacon(fence, 2)))).rejects.toThrow('OOM');
    expect((await pair.settle(b.read()))?.head).toMatchObject(at(2));
    // What begins by making room is not stopped in the middle.
    expect(await pair.settle(a.publish(batch(fence, 0, 3), undefined))).toEqual({ result: 'written' });
    await pair.refuseMemory(false);
    expect((await pair.settle(b.read()))?.entries).toHaveLength(3);
  });

  async function led(channel: Channel): Promise<number> {
    const acquired = await pair.settle(channel.acquire());
    if (!acquired.held) throw new Error('Another leads.');
    return acquired.fence;
  }
});

const EPOCH = 'epoch-000001';
const at = (offset: number) => ({ epoch: EPOCH, offset });

function batch(fence: number, from: number, to: number): Batch {
  const offsets = Array.from({ length: to - from }, (_, index) => from + index + 1);
  return {
    type: 'batch',
    fence,
    epoch: EPOCH,
    lineage: new Map([['epoch-000000', 0]]),
    from,
    to,
    floor: 0,
    resourceVersion: String(100 + to),
    complete: true,
    lost: false,
    entries: offsets.map((offset) => {
      const object = pod(String(offset), { resourceVersion: 100 + offset });
      const { uid, resourceVersion } = object.metadata;
      return encodeEntry({ uid, offset, bornAt: offset, resourceVersion, nameKey: `shop/${offset}`, object });
    }),
  };
}

function removal(which: number, offset: number) {
  const entry = { uid: `uid-${which}`, nameKey: `shop/${which}`, resourceVersion: String(100 + offset) };
  return encodeEntry({ ...entry, offset, bornAt: which, object: undefined });
}

function beacon(fence: number, offset?: number): Beacon {
  return {
    type: 'beacon',
    fence,
    leader: 'somebody',
    head: offset === undefined ? undefined : at(offset),
    resourceVersion: offset === undefined ? undefined : String(100 + offset),
    unpublishedMs: 0,
    status: {
      state: 'CONNECTED',
      agoMs: 0,
      error: undefined,
      final: false,
      attempts: 0,
      retryInMs: undefined,
      transport: undefined,
      hops: [],
      freshAgoMs: 0,
    },
  };
}

async function realPair(): Promise<Pair> {
  const server = await RedisServer.start();
  const join = async () => {
    const options = { address: parseRedisUrl(server.url), clock: systemClock, onFailed: () => {}, leaseMs: LEASE_MS };
    const bus = new RedisBus(options);
    await bus.start();
    return bus;
  };
  const [one, other] = [await join(), await join()];
  return {
    one,
    other,
    pass: (milliseconds) => new Promise((resolve) => void systemClock.after(milliseconds, resolve)),
    settle: (promise) => promise,
    refuseMemory: async (isRefused) => void (await server.command('CONFIG', 'SET', 'maxmemory', isRefused ? '1' : '0')),
    flush: async () => void (await server.command('FLUSHALL')),
    close: async () => {
      await Promise.all([one.close(), other.close()]);
      await server.close();
    },
  };
}

async function simulatedPair(): Promise<Pair> {
  const timeline = new Timeline();
  const chance = new Chance(1);
  const redis = new SimulatedRedis(timeline, chance);
  const world = { timeline, chance, redis, cluster: new Cluster(timeline, chance), journal: new Journal(timeline) };
  const [one, other] = [new Replica('one', world, LEASE_MS).bus, new Replica('other', world, LEASE_MS).bus];
  await timeline.pass(500);
  return {
    one,
    other,
    pass: (milliseconds) => timeline.pass(milliseconds),
    settle: (promise) => passUntilSettled(timeline, promise),
    refuseMemory: async (isRefused) => {
      redis.refusal = isRefused ? { of: 'memory', message: 'OOM command not allowed' } : undefined;
    },
    flush: async () => redis.flush(),
    close: () => Promise.all([one.close(), other.close()]).then(() => undefined),
  };
}

async function passUntilSettled<T>(timeline: Timeline, promise: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const over = () => (state.isOver = true);
  promise.then(over, over);
  while (!state.isOver) await timeline.pass(20);
  return promise;
}
