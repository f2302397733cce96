import { startKas, type Kas } from '../../demo/kas/index.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import { parseRedisUrl } from '../../src/pubsub/redis/redis-url.ts';
import { RedisBus, type RedisBusOptions } from '../../src/pubsub/redis/redis-bus.ts';
import { RedisTally } from '../../src/pubsub/redis/redis-tally.ts';
import { SharedBroker } from '../../src/pubsub/sharing/shared-broker.ts';
import type { ShareEvent } from '../../src/pubsub/sharing/share-events.ts';
import { Bench, type BenchOptions } from './bench.ts';
import { RedisServer } from './processes/redis-server.ts';

export interface ReplicasOptions extends BenchOptions {
  readonly redisUrl?: string;
  readonly bus?: Partial<RedisBusOptions>;
}

/** A replica without its GraphQL, which shares with others through Redis. */
export class Replica extends Bench {
  readonly bus: RedisBus;
  readonly broker: SharedBroker;
  readonly tally: RedisTally;
  readonly events: ShareEvent[];

  static async join(kas: Kas, redisUrl: string, options: ReplicasOptions = {}): Promise<Replica> {
    const events: ShareEvent[] = [];
    const clock: Clock = options.clock ?? systemClock;
    const failed: unknown[] = [];
    const onFailed = (error: unknown) => failed.push(error);
    const bus = new RedisBus({ address: parseRedisUrl(redisUrl), clock, onFailed, ...options.bus });
    const onEvent = (event: ShareEvent) => events.push(event);
    const broker = new SharedBroker({ bus, clock, realm: kas.url, onEvent, onFailed });
    const tally = new RedisTally({ bus, clock, onFailed });
    await bus.start();
    return new Replica(kas, { ...options, broker, tally }, { bus, broker, tally, events, failed });
  }

  readonly failed: unknown[];

  private constructor(
    kas: Kas,
    options: BenchOptions,
    parts: { bus: RedisBus; broker: SharedBroker; tally: RedisTally; events: ShareEvent[]; failed: unknown[] },
  ) {
    super(kas, options);
    this.bus = parts.bus;
    this.tally = parts.tally;
    this.broker = parts.broker;
    this.events = parts.events;
    this.failed = parts.failed;
  }

  /** As a process that is stopped politely. */
  async stop(): Promise<void> {
    await this.broker.handOver();
    this.hub.close();
    await this.broker.close();
    await this.tally.close();
    await this.bus.close();
    await this.source.close();
  }

  /** As a process that is killed: nothing is said to anybody. */
  async crash(): Promise<void> {
    await this.bus.close();
    this.hub.close();
    await this.source.close();
  }
}

/** Redis, a KAS, and replicas between them. */
export class Replicas {
  readonly kas: Kas;
  readonly redis: RedisServer;
  readonly all: Replica[] = [];
  readonly #options: ReplicasOptions;

  static async start(count: number, options: ReplicasOptions = {}): Promise<Replicas> {
    const [kas, redis] = await Promise.all([startKas({ agents: { 1: options.agent ?? {} } }), RedisServer.start()]);
    const replicas = new Replicas(kas, redis, options);
    for (let index = 0; index < count; index += 1) await replicas.add();
    return replicas;
  }

  private constructor(kas: Kas, redis: RedisServer, options: ReplicasOptions) {
    this.kas = kas;
    this.redis = redis;
    this.#options = options;
  }

  get store() {
    return this.kas.agent(1).api.store;
  }

  async add(): Promise<Replica> {
    const replica = await Replica.join(this.kas, this.#options.redisUrl ?? this.redis.url, this.#options);
    if (this.all.length === 0) replica.allow('ada');
    this.all.push(replica);
    return replica;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((replica) => replica.stop()));
    await this.kas.close();
    await this.redis.close();
  }
}
