import { afterEach, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { NAMESPACE } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { hasRedis } from '../support/processes/redis-server.ts';
import { Replicas, type Replica } from '../support/replicas.ts';

/** SHARING=identity with a Redis: what is one viewer's is told to nobody, and counts all the same. */
describe.skipIf(!hasRedis('feeds that nobody shares'))('a feed that is one viewer’s', () => {
  let replicas: Replicas;

  afterEach(() => replicas.close());

  it('is written down nowhere, and goes on when Redis does not', { timeout: 20_000 }, async () => {
    const [one] = await start(100);
    const view = await one.liveView();
    await pause(300);
    expect(await replicas.redis.keys('kascade1:{*')).toEqual([]);
    expect(one.events).toEqual([]);
    const states = one.followStates();
    await replicas.redis.kill();
    await eventually('Redis is away', () => !one.bus.isUp, 10_000);
    replicas.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await one.converged(view);
    expect(new Set(states)).not.toContain('CONNECTING');
  });

  it('has its place among the streams of the agent over all replicas', { timeout: 20_000 }, async () => {
    const [one, two] = await start(1);
    const first = await one.liveView();
    const early = await two.view();
    await eventually('it is refused', () => String(early.error).includes('AGENT_STREAM_BUDGET'), 5_000);
    await first.leave();
    await eventually('the stream is closed', () => replicas.kas.openStreams(1) === 0, 5_000);
    await pause(100);
    const later = await two.liveView();
    expect(later.updates).toHaveLength(1);
  });

  async function start(agentStreamBudget: number): Promise<[Replica, Replica]> {
    replicas = await Replicas.start(2, { sharing: 'identity', agentStreamBudget, lingerMs: 0 });
    replicas.store.create(makePod({ name: 'pod', namespace: NAMESPACE }));
    const [one, two] = replicas.all;
    if (one === undefined || two === undefined) throw new Error('there should be two');
    return [one, two];
  }
});
