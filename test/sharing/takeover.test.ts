import { afterEach, describe, expect, it } from 'vitest';
import { unauthorized } from '../../demo/apiserver/effects.ts';
import { makePod } from '../../demo/apiserver/objects.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import { feedId } from '../../src/pubsub/feed-key.ts';
import type { Channel } from '../../src/pubsub/sharing/bus.ts';
import { NAMESPACE } from '../support/bench.ts';
import { eventually, pause } from '../support/eventually.ts';
import { hasRedis } from '../support/processes/redis-server.ts';
import { Replicas, type Replica } from '../support/replicas.ts';

/** What holds of the one that takes the lead, when that is not as simple as it could be. */
describe.skipIf(!hasRedis('taking over'))('a replica that takes over', () => {
  let replicas: Replicas;

  afterEach(() => replicas.close());

  it('gives its place among the streams back when it cannot read what is written', { timeout: 20_000 }, async () => {
    replicas = await Replicas.start(2, { bus: { leaseMs: 1_500 } });
    const [one, two] = await both();
    await one.crash();
    const makeChannel = two.bus.channel.bind(two.bus);
    let reads = 0;
    two.bus.channel = (id) => withRead(makeChannel(id), () => Promise.reject(new Error(`no. ${(reads += 1)}`)));
    void two.view().catch(() => undefined);
    await eventually('it has tried twice', () => reads >= 4, 10_000);
    await pause(200);
    const [count] = await replicas.redis.keys('kascade1:count:streams*');
    const held = await replicas.redis.command('HGET', count ?? '', two.bus.replica);
    expect(Number.parseInt(String(held), 10)).toBe(0);
  });

  it('leads when it was given the lead, also when it did not expect that any more', async () => {
    replicas = await Replicas.start(2);
    const [one, two] = await both();
    await two.view();
    await one.connected();
    await two.connected();
    const channel = channelOf(one);
    const { fence } = await channel.position();
    const begun = performance.now();
    expect(await channel.transfer(fence, two.bus.replica)).toBe(true);
    await eventually('it leads', () => two.broker.roles.leading === 1, 10_000);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('is CONNECTED all the time when it was ready before the leader went, and so is everybody else', async () => {
    replicas = await Replicas.start(3);
    const [one] = await both();
    const others = replicas.all.slice(1);
    await Promise.all(others.map((replica) => replica.view()));
    await Promise.all(others.map((replica) => replica.connected()));
    const states = others.map((replica) => replica.followStates());
    await one.stop();
    await eventually('somebody leads', () => others.some(({ broker }) => broker.roles.leading === 1), 1_000);
    await pause(500);
    expect(new Set(states.flat())).toEqual(new Set(['CONNECTED']));
  });

  it.each(['handed over', 'crashed'])('does not say CONNECTED before it is (%s)', { timeout: 20_000 }, async (how) => {
    replicas = await Replicas.start(2, { transport: 'http', bus: { leaseMs: 1_500 } });
    const [one, two] = await both();
    await two.view();
    await two.connected();
    replicas.kas.agent(1).api.faults.add({ match: { verb: 'watch' }, effect: { blackHole: true } });
    if (how === 'crashed') await one.crash();
    else await one.broker.handOver();
    await eventually('it leads', () => two.broker.roles.leading === 1, 8_000);
    expect(two.status()).toMatchObject({ state: 'CONNECTING', reason: undefined });
    await pause(1_500);
    expect(two.status().state).toBe('CONNECTING');
  });

  it('does not say CONNECTED before it is, alone', { timeout: 20_000 }, async () => {
    replicas = await Replicas.start(2, { transport: 'http' });
    const [, two] = await both();
    await two.view();
    await two.connected();
    replicas.kas.agent(1).api.faults.add({ match: { verb: 'watch' }, effect: { blackHole: true } });
    await replicas.redis.kill();
    await eventually('it is alone', () => two.broker.roles.alone === 1, 15_000);
    expect(two.status().state).toBe('CONNECTING');
  });

  it('takes over when nobody on the other one is known to the cluster any more', { timeout: 20_000 }, async () => {
    replicas = await Replicas.start(2, { transport: 'http', lingerMs: 30_000 });
    const [one, two] = await both();
    two.allow('grace', NAMESPACE);
    const view = await two.view({ viewer: two.viewer('grace') });
    await two.connected();
    const { api } = replicas.kas.agent(1);
    api.faults.add({ match: { user: 'ada' }, effect: unauthorized });
    replicas.kas.agent(1).cutStreams();
    await eventually('the other one leads', () => two.broker.roles.leading === 1, 5_000);
    expect(one.broker.roles.leading).toBe(0);
    replicas.store.create(makePod({ name: 'later', namespace: NAMESPACE }));
    await two.converged(view);
    await two.connected();
  });

  /** Two replicas, the first of which leads. */
  async function both(): Promise<[Replica, Replica]> {
    const [one, two] = replicas.all;
    if (one === undefined || two === undefined) throw new Error('there should be two');
    replicas.store.create(makePod({ name: 'pod', namespace: NAMESPACE }));
    await one.liveView();
    while ((await channelOf(one).position()).head === undefined) await pause(10);
    return [one, two];
  }

  function channelOf({ bus }: Replica): Channel {
    const key = { agentId: '1', namespace: NAMESPACE, resource: PODS };
    return bus.channel(JSON.stringify([replicas.kas.url, feedId(key)]));
  }
});

function withRead(channel: Channel, read: Channel['read']): Channel {
  channel.read = read;
  return channel;
}
