import { afterEach, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { probeKey } from '../../src/pubsub/redis/keys.ts';
import { slotOf } from '../../src/pubsub/redis/slots.ts';
import { NAMESPACE } from '../support/bench.ts';
import { eventually } from '../support/eventually.ts';
import { RedisCluster } from '../support/processes/redis-cluster.ts';
import { hasRedis, type RedisServer } from '../support/processes/redis-server.ts';
import type { RecordedView } from '../support/recorded-view.ts';
import { Replicas } from '../support/replicas.ts';

/** A Redis that answers, and takes no writes: to the replicas it is away. */
describe.skipIf(!hasRedis('a Redis that takes no writes'))('replicas whose Redis takes no writes', () => {
  let replicas: Replicas;
  let cluster: RedisCluster | undefined;

  afterEach(async () => {
    await replicas.close();
    await cluster?.[Symbol.asyncDispose]();
    cluster = undefined;
  });

  it('go on alone while it is full, and share again when there is room', { timeout: 40_000 }, async () => {
    replicas = await Replicas.start(2);
    const views = await shared();
    await replicas.redis.command('CONFIG', 'SET', 'maxmemory', '1');
    await eventually('they go on alone', () => watches() === 2, 8_000);
    await change(views);
    const [one, two] = replicas.all;
    expect([one?.bus.trouble, two?.bus.trouble]).toEqual(Array(2).fill('Redis takes no writes (OOM).'));
    await replicas.redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await eventually('they share again', () => watches() === 1, 25_000);
    await change(views);
    expect(views.flatMap(({ snapshots }) => snapshots)).toHaveLength(2);
  });

  it('go on alone while it lacks replicas', { timeout: 20_000 }, async () => {
    replicas = await Replicas.start(2);
    const views = await shared();
    await replicas.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await eventually('they go on alone', () => watches() === 2, 8_000);
    await change(views);
    expect(replicas.all.map(({ bus }) => bus.trouble)).toEqual(Array(2).fill('Redis takes no writes (NOREPLICAS).'));
  });

  it('go on alone while any shard of a cluster is full', { timeout: 40_000 }, async () => {
    cluster = await RedisCluster.start();
    replicas = await Replicas.start(2, { redisUrl: cluster.url });
    const views = await shared();
    const first = await holderOf(cluster, probeKey(0));
    for (const node of cluster.nodes) if (node !== first) await node.command('CONFIG', 'SET', 'maxmemory', '1');
    await eventually('they go on alone', () => watches() === 2, 8_000);
    await change(views);
    expect(views.flatMap(({ snapshots }) => snapshots)).toHaveLength(2);
  });

  /** A view on each replica, which see what there is by one watch. */
  async function shared(): Promise<RecordedView[]> {
    replicas.store.create(makePod({ name: 'pod', namespace: NAMESPACE }));
    const views = await Promise.all(replicas.all.map((replica) => replica.view()));
    await converged(views);
    await Promise.all(replicas.all.map((replica) => replica.connected()));
    expect(watches()).toBe(1);
    return views;
  }

  async function change(views: readonly RecordedView[]): Promise<void> {
    replicas.store.patch('pods', NAMESPACE, 'pod', { metadata: { labels: { at: replicas.store.revision } } });
    await converged(views);
  }

  async function converged(views: readonly RecordedView[]): Promise<void> {
    await Promise.all(replicas.all.map((replica, index) => replica.converged(views[index]!, 8_000)));
  }

  function watches(): number {
    return replicas.kas.inFlight({ verb: 'watch', resource: 'pods' }).length;
  }
});

/** The node of three that a key lies on. */
async function holderOf({ nodes }: RedisCluster, key: string): Promise<RedisServer | undefined> {
  const slot = await nodes[0]?.command('CLUSTER', 'KEYSLOT', key);
  expect(slotOf(key)).toBe(slot);
  return nodes[Math.floor(Number(slot) / Math.ceil(16_384 / nodes.length))];
}
