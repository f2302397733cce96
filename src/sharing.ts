import type { Config } from './config.ts';
import type { Tools } from './core.ts';
import { RedisBus } from './pubsub/redis/redis-bus.ts';
import type { RedisAddress } from './pubsub/redis/redis-url.ts';
import { RedisTally } from './pubsub/redis/redis-tally.ts';
import { SharedBroker } from './pubsub/sharing/shared-broker.ts';

/** What replicas have in common, in Redis. */
export interface Sharing {
  readonly bus: RedisBus;
  readonly broker: SharedBroker;
  readonly tally: RedisTally;
  /** What is wrong with it. */
  notes(): readonly string[];
  close(): Promise<void>;
}

/** Undefined without `REDIS_URL`: then one replica does everything itself. */
export function createSharing({ redis, kasUrl }: Config, tools: Tools): Sharing | undefined {
  if (redis === undefined || kasUrl === undefined) return undefined;
  const { log, counters, clock } = tools;
  const bus = redisBus(redis, tools);
  const broker = new SharedBroker({
    bus,
    clock,
    realm: kasUrl.href,
    onEvent: (event) => counters.add('sharing_events', { event }),
    onFailed: (error) => log.debug({ error }, 'Sharing a watch has failed for the moment.'),
  });
  const tally = new RedisTally({
    bus,
    clock,
    onFailed: (error) => log.debug({ error }, 'Counting over replicas has failed.'),
  });
  return {
    bus,
    broker,
    tally,
    notes: () => (bus.trouble === undefined ? [] : [bus.trouble.replace(/\.$/, ': this replica goes on alone.')]),
    close: async () => {
      await broker.close();
      await tally.close();
      await bus.close();
    },
  };
}

function redisBus(address: RedisAddress, { log, clock }: Tools): RedisBus {
  const onFailed = (error: unknown) => log.debug({ error }, 'A call to Redis has failed.');
  const bus = new RedisBus({ address, clock, onFailed });
  bus.onTurn(() => {
    if (bus.isUp) log.info('Redis is there: watches are shared with other replicas.');
    else log.warn({ reason: bus.trouble }, 'Redis is away: this replica goes on alone.');
  });
  return bus;
}
