import { hasRedis, RedisServer } from '../test/support/processes/redis-server.ts';
import { Replica } from '../test/support/processes/replica.ts';
import { Child } from './child.ts';
import { arrivals, percentiles, type Percentiles } from './latency.ts';

export interface Shared {
  /** Milliseconds from a write in the cluster to a client of the replica that watches. */
  readonly leader: Percentiles;
  /** The same to a client of another replica, which hears of it through Redis. */
  readonly follower: Percentiles;
  /** Commands that Redis carried out for one change, by name, those within scripts included. */
  readonly commandsAChange: Readonly<Record<string, number>>;
  /** Bytes that Redis uses for the feed: for one pod of its snapshot, and for the log of the last changes. */
  readonly podBytes: number;
  readonly logBytes: number;
}

const PODS = 50;

/** Two replicas as processes, one Redis between them, and a client of each. Undefined where there is no Redis. */
export async function sharing(writes: number): Promise<Shared | undefined> {
  if (!hasRedis('two replicas')) return undefined;
  const redis = await RedisServer.start();
  const whole = new Child('./whole.ts');
  try {
    const url = await whole.ask<string>('start', { REDIS_URL: redis.url });
    const leader = await arrivals(url);
    const replica = await Replica.start({ kasUrl: await whole.ask('kasUrl'), redisUrl: redis.url });
    try {
      const follower = await arrivals(replica.url);
      const before = await commands(redis);
      for (let write = 0; write < writes; write += 1) {
        await whole.ask('change');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const after = await commands(redis);
      return {
        leader: percentiles(leader.took),
        follower: percentiles(follower.took),
        commandsAChange: perChange(before, after, writes),
        podBytes: (await memory(redis, 'snapshot')) / PODS,
        logBytes: await memory(redis, 'log'),
      };
    } finally {
      await replica.kill();
    }
  } finally {
    whole.stop();
    await redis.close();
  }
}

async function commands(redis: RedisServer): Promise<Map<string, number>> {
  const text = String(await redis.command('INFO', 'commandstats'));
  return new Map(
    [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}

function perChange(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, changes: number) {
  const grown = [...after].map(([name, calls]): [string, number] => [
    name,
    (calls - (before.get(name) ?? 0)) / changes,
  ]);
  return Object.fromEntries(grown.filter(([, calls]) => calls >= 0.5).toSorted(([, a], [, b]) => b - a));
}

async function memory(redis: RedisServer, part: 'snapshot' | 'log'): Promise<number> {
  const keys = await redis.keys(`kascade*}:${part}`);
  const sizes = await Promise.all(keys.map(async (key) => Number(await redis.command('MEMORY', 'USAGE', key))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
