import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { sharingLevels } from '../../src/metrics.ts';
import { LiveClient } from '../fanout/live-client.ts';
import { WHOLE } from '../fanout/shapes.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedis, RedisServer } from '../support/processes/redis-server.ts';
import { Replicas } from '../support/replicas.ts';
import { WholeServer } from '../support/whole-server.ts';
import { readSamples } from './exposition.ts';

const SHOP = { ...WHOLE, variables: { namespace: 'shop' } };

describe.skipIf(!hasRedis('metrics of sharing'))('with Redis', () => {
  let redis: RedisServer;
  let whole: WholeServer;
  beforeEach(async () => {
    redis = await RedisServer.start();
    whole = await WholeServer.start({ REDIS_URL: redis.url });
  });
  afterEach(async () => {
    await whole.stop();
    await redis.close();
  });

  async function readiness(): Promise<unknown> {
    const response = await fetch(`${whole.server.url}/readyz`);
    return [response.status, await response.json()];
  }

  async function sample(series: string): Promise<number | undefined> {
    return readSamples(await (await fetch(`${whole.server.url}/metrics`)).text()).get(series);
  }

  it('says that it leads, that Redis is away while clients are served, and that all is written when it is back', async () => {
    const ready = { status: 'ready', reasons: [], notes: [] };
    const client = await LiveClient.join(whole, SHOP);
    await eventually('a snapshot', () => client.messages.length > 0, 5_000);
    expect(await readiness()).toEqual([200, ready]);
    expect(await sample('kascade_redis_up')).toBe(1);
    expect(await sample('kascade_shared_feeds{role="leading"}')).toBe(1);
    expect(await sample('kascade_sharing_events_total{event="took over"}')).toBe(1);

    await redis.kill();
    const away = { ...ready, notes: ['Redis does not answer: this replica goes on alone.'] };
    await expect.poll(readiness, { timeout: 10_000 }).toEqual([200, away]);
    expect(await sample('kascade_redis_up')).toBe(0);
    whole.store.create(makePod({ name: 'a', namespace: 'shop' }));
    await eventually('a change', () => client.set.size === 1, 5_000);
    await expect.poll(() => sample('kascade_sharing_unpublished_seconds')).toBeGreaterThan(0);

    await redis.restart();
    await expect.poll(readiness, { timeout: 10_000 }).toEqual([200, ready]);
    expect(await sample('kascade_redis_up')).toBe(1);
    await expect.poll(() => sample('kascade_sharing_unpublished_seconds'), { timeout: 10_000 }).toBe(0);
    await expect.poll(() => sample('kascade_shared_feeds{role="leading"}'), { timeout: 10_000 }).toBe(1);
    expect(client.breaches).toEqual([]);
    client.leave();
  }, 40_000);
});

describe.skipIf(!hasRedis('roles of replicas'))('two replicas', () => {
  let replicas: Replicas;
  afterEach(() => replicas.close());

  it('tell who leads and who follows, and who goes on alone when Redis is away', async () => {
    replicas = await Replicas.start(2);
    const [first, second] = replicas.all;
    if (first === undefined || second === undefined) throw new Error('two were to be started');
    const views = [await first.view(), await second.view()];
    await eventually('snapshots', () => views.every(({ updates }) => updates.length > 0), 5_000);
    const leader = first.broker.roles.leading === 1 ? first : second;
    const follower = leader === first ? second : first;
    expect(leader.broker.roles).toEqual({ leading: 1, following: 0, alone: 0 });
    expect(follower.broker.roles).toEqual({ leading: 0, following: 1, alone: 0 });
    const levels = sharingLevels(follower.bus, follower.broker);
    expect(levels.redis_up()).toBe(1);
    expect(leader.broker.unheardMs).toBe(0);
    expect(follower.broker.unpublishedMs).toBe(0);

    await replicas.redis.kill();
    await eventually('nothing is heard of the leader', () => (levels.sharing_unheard_seconds() ?? 0) > 0.5, 10_000);
    await eventually('it goes on alone', () => follower.broker.roles.alone === 1, 10_000);
    expect(levels.redis_up()).toBe(0);
    expect(levels.sharing_unheard_seconds()).toBe(0);
    expect(leader.broker.roles.leading).toBe(1);
  }, 40_000);
});
