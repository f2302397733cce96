import { Gate } from '../../src/access/gate.ts';
import { PODS } from '../../src/kubernetes/resources.ts';
import type { Feed } from '../../src/pubsub/feed.ts';
import { Hub } from '../../src/pubsub/hub.ts';
import { BULK_MS, COMMAND_MS, type Client, type Connections } from '../../src/pubsub/redis/clients.ts';
import { RedisBus } from '../../src/pubsub/redis/redis-bus.ts';
import { parseRedisUrl } from '../../src/pubsub/redis/redis-url.ts';
import type { ShareEvent } from '../../src/pubsub/sharing/share-events.ts';
import { SharedBroker } from '../../src/pubsub/sharing/shared-broker.ts';
import type { Chance } from './chance.ts';
import type { Cluster } from './cluster/cluster.ts';
import { ClusterSource } from './cluster/source.ts';
import { ClusterLink } from './cluster/upstream.ts';
import type { Journal } from './journal.ts';
import { Process } from './process.ts';
import { CommandClient, ListeningClient } from './redis/client.ts';
import { Link } from './redis/link.ts';
import type { SimulatedRedis } from './redis/server.ts';
import type { Timeline } from './timeline.ts';

export const LINGER_MS = 5_000;
export const KEY = { agentId: '1', namespace: 'shop', resource: PODS };

export interface World {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly redis: SimulatedRedis;
  readonly cluster: Cluster;
  readonly journal: Journal;
}

/** The product without its GraphQL, as one process of several, between a simulated Redis and a simulated cluster. */
export class Replica {
  readonly name: string;
  readonly process: Process;
  readonly link: Link;
  readonly bus: RedisBus;
  readonly source: ClusterSource;
  readonly hub: Hub;
  readonly gate: Gate;
  readonly defects: unknown[] = [];
  readonly #broker: SharedBroker;
  readonly #world: World;
  #isStopping = false;
  #wasAlone = false;

  constructor(name: string, world: World, leaseMs?: number) {
    const { timeline, chance, redis, cluster, journal } = world;
    this.name = name;
    this.#world = world;
    this.process = new Process(timeline, chance.fork());
    this.link = new Link(this.process);
    redis.links.add(this.link);
    const onFailed = (error: unknown) => this.#failed(error);
    const clock = this.process;
    this.bus = new RedisBus({
      address: parseRedisUrl('redis://simulated'),
      clock,
      onFailed,
      logBytes: 1_500,
      ...(leaseMs !== undefined && { leaseMs }),
      connections: this.#connections(chance.fork()),
    });
    this.#broker = new SharedBroker({
      bus: this.bus,
      clock,
      realm: 'simulated',
      onEvent: (event) => this.#happened(event),
      onFailed,
    });
    const way = { process: clock, cluster, timeline, chance: chance.fork() };
    this.source = new ClusterSource(
      new ClusterLink({ ...way, noted: (why) => this.noted(why.startsWith('cut') ? why : `reflector: ${why}`) }),
    );
    this.hub = new Hub({ source: this.source, clock, lingerMs: LINGER_MS, broker: this.#broker });
    this.gate = new Gate({
      hub: this.hub,
      source: this.source,
      clock,
      reviews: { allowMs: 60_000, denyMs: 10_000 },
      sharing: 'authorized',
      feedsPerViewer: 50,
      subscriptionsPerViewer: 50,
      lingerMs: LINGER_MS,
      audit: () => {},
    });
    void this.bus.start();
    this.bus.onTurn(() => journal.event(`${name}: Redis is ${this.bus.isUp ? 'there' : 'away'}`));
  }

  /** New subscribers may come. */
  get isOpen(): boolean {
    return this.process.isAlive && !this.#isStopping;
  }

  get feed(): Feed | undefined {
    return this.hub.feeds(KEY.agentId, KEY.namespace)[0];
  }

  noted(what: string): void {
    this.#world.journal.sometimes.note(what);
    this.#world.journal.event(`${this.name}: ${what}`);
  }

  /** As SIGKILL does. */
  crash(): void {
    this.process.kill();
    this.link.cut();
    this.#world.redis.links.delete(this.link);
  }

  /** As SIGTERM does. `onOver` is called when the process has ended. `dismiss` sends the subscribers elsewhere. */
  stop(dismiss: () => void, onOver: () => void): void {
    this.#isStopping = true;
    const stop = async () => {
      await this.#broker.handOver();
      dismiss();
      this.hub.close();
      await this.#broker.close();
      await this.source.close();
      this.crash();
      onOver();
    };
    this.process.receive(() => void stop());
  }

  #happened(event: ShareEvent): void {
    this.noted(`share: ${event}`);
    if (event === 'alone') this.#wasAlone = true;
    if (event === 'started over') this.#wasAlone = false;
    if (!this.#wasAlone || (event !== 'crossed' && event !== 'took over')) return;
    this.#wasAlone = false;
    this.noted('alone, and back without a reset');
  }

  #connections(chance: Chance): Connections {
    const { timeline, redis: server } = this.#world;
    const shared = { timeline, chance, server, link: this.link };
    return {
      // Of a client of ioredis, the product uses what these have; the conformance suite runs on both.
      command: (kind) => {
        const timeoutMs = kind === 'command' ? COMMAND_MS : BULK_MS;
        return new CommandClient({ ...shared, timeoutMs }) as unknown as Client;
      },
      listening: () =>
        new ListeningClient({ ...shared, timeoutMs: COMMAND_MS }) as unknown as ReturnType<Connections['listening']>,
    };
  }

  /** That Redis does not answer is no defect; that something throws that is no answer of it, is. */
  #failed(error: unknown): void {
    this.#world.journal.detail(() => `${this.name}: failed: ${String(error)}`);
    const isDefect = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    if (isDefect) this.#world.journal.violated('no defects', `${this.name}: ${error.stack ?? error.message}`);
  }
}
