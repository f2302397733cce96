import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { startKas, type Kas } from '../../demo/kas/index.ts';
import { makePod } from '../../demo/apiserver/objects.ts';
import { NAMESPACE } from '../support/bench.ts';
import { RedisCluster } from '../support/processes/redis-cluster.ts';
import { RedisSentinelSet } from '../support/processes/redis-sentinel.ts';
import { hasRedis, RedisServer } from '../support/processes/redis-server.ts';
import { Replica } from '../support/replicas.ts';

let closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
});

describe.skipIf(!hasRedis('the forms of Redis'))('replicas share', { timeout: 60_000 }, () => {
  it('through a cluster', async () => {
    const cluster = keep(await RedisCluster.start());
    expect(await sharingThrough(cluster.url)).toEqual(ONE_UPSTREAM);
  });

  it('through sentinels', async () => {
    const sentinels = keep(await RedisSentinelSet.start());
    expect(await sharingThrough(sentinels.url)).toEqual(ONE_UPSTREAM);
  });

  it('as a user with the rights that docs/redis.md names, and no others', async () => {
    const redis = keep(await RedisServer.start());
    await redis.command('ACL', ...documentedRights('~kascade1'));
    const address = redis.url.replace('//', '//kascade:password@');
    expect(await sharingThrough(address)).toEqual(ONE_UPSTREAM);
    expect(await redis.command('ACL', 'LOG')).toEqual([]);
  });

  it('as such a user who has the documented rights on the sentinels, and no others', async () => {
    const set = keep(await RedisSentinelSet.start());
    const servers = [set.master, set.replica];
    for (const server of servers) await server.command('ACL', ...documentedRights('~kascade1'));
    for (const sentinel of set.sentinels) await sentinel.command('ACL', ...documentedRights('+sentinel'));
    const address = set.url.replace('//', '//kascade:password@');
    expect(await sharingThrough(address)).toEqual(ONE_UPSTREAM);
    for (const server of [...servers, ...set.sentinels]) expect(await server.command('ACL', 'LOG')).toEqual([]);
  });
});

/** The words of the command in the document that has this in it. */
function documentedRights(mark: string): string[] {
  const text = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const commands = Array.from(text.matchAll(/```\nACL (SETUSER [^`]+)```/g), ([, command = '']) => command);
  const [command, ...others] = commands.filter((each) => each.includes(mark));
  if (command === undefined || others.length > 0) throw new Error(`docs/redis.md names no rights with ${mark}`);
  return command.trim().split(/\s+/);
}

const ONE_UPSTREAM = { lists: 1, watches: 1 };

/** Two replicas on this Redis, and what they cost the cluster until viewers of both have seen a change. */
async function sharingThrough(redisUrl: string): Promise<typeof ONE_UPSTREAM> {
  const kas = await startKas({ agents: { 1: {} } });
  closing.push(() => kas.close());
  const replicas = [await join(kas, redisUrl), await join(kas, redisUrl)];
  replicas[0]?.allow('ada');
  const { store } = kas.agent(1).api;
  store.create(makePod({ name: 'first', namespace: NAMESPACE }));
  const views = await Promise.all(replicas.map((replica) => replica.view()));
  await Promise.all(replicas.map((replica, index) => replica.converged(views[index]!, 10_000)));
  store.create(makePod({ name: 'second', namespace: NAMESPACE }));
  await Promise.all(replicas.map((replica, index) => replica.converged(views[index]!, 10_000)));
  await Promise.all(replicas.map((replica) => replica.connected(10_000)));
  return { lists: kas.counts({ verb: 'list' }), watches: kas.counts({ verb: 'watch' }) };
}

async function join(kas: Kas, redisUrl: string): Promise<Replica> {
  const replica = await Replica.join(kas, redisUrl);
  closing.push(() => replica.stop());
  expect(replica.bus.isUp).toBe(true);
  return replica;
}

function keep<T extends AsyncDisposable | RedisServer>(server: T): T {
  closing.push(async () => ('close' in server ? server.close() : server[Symbol.asyncDispose]()));
  return server;
}
