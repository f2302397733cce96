import { pause } from '../eventually.ts';
import { RedisServer } from './redis-server.ts';

const SLOTS = 16_384;
const MEETING_MS = 20_000;

/** Three masters that share the slots of a Redis Cluster. */
export class RedisCluster implements AsyncDisposable {
  readonly nodes: readonly RedisServer[];

  static async start(): Promise<RedisCluster> {
    const config = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '3000', 'cluster-require-full-coverage': 'no' };
    const nodes = await Promise.all([1, 2, 3].map(() => RedisServer.start({ config })));
    const cluster = new RedisCluster(nodes);
    await cluster.#form();
    return cluster;
  }

  private constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  get url(): string {
    return `redis-cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  async #form(): Promise<void> {
    const share = Math.ceil(SLOTS / this.nodes.length);
    for (const [index, node] of this.nodes.entries()) {
      const end = Math.min(SLOTS, (index + 1) * share) - 1;
      await node.command('CLUSTER', 'ADDSLOTSRANGE', index * share, end);
      for (const other of this.nodes) await node.command('CLUSTER', 'MEET', '127.0.0.1', other.port);
    }
    const end = performance.now() + MEETING_MS;
    while (!(await this.#isWhole())) {
      if (performance.now() > end) throw new Error('the nodes of the Redis Cluster did not meet');
      await pause(50);
    }
  }

  async #isWhole(): Promise<boolean> {
    const infos = await Promise.all(this.nodes.map((node) => node.command('CLUSTER', 'INFO')));
    return infos.every((info) => {
      const text = String(info);
      return /cluster_state:ok/.test(text) && /cluster_known_nodes:3/.test(text) && /cluster_slots_ok:16384/.test(text);
    });
  }
}
