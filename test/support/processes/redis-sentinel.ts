import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../eventually.ts';
import { RedisServer } from './redis-server.ts';

const MASTER = 'kascade';
const READY_MS = 20_000;

/** A master with one replica, and three sentinels that fail it over within about three seconds. */
export class RedisSentinelSet implements AsyncDisposable {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  readonly #folder: string;

  static async start(): Promise<RedisSentinelSet> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({ config: { replicaof: `127.0.0.1 ${master.port}` } });
    const folder = await mkdtemp(join(tmpdir(), 'kascade-sentinel-'));
    const sentinels = await Promise.all([1, 2, 3].map((number) => startSentinel(folder, number, master)));
    const set = new RedisSentinelSet(master, replica, sentinels, folder);
    await set.#isComplete();
    return set;
  }

  private constructor(master: RedisServer, replica: RedisServer, sentinels: readonly RedisServer[], folder: string) {
    this.master = master;
    this.replica = replica;
    this.sentinels = sentinels;
    this.#folder = folder;
  }

  get url(): string {
    return `redis-sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.master, this.replica, ...this.sentinels].map((server) => server.close()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isComplete(): Promise<void> {
    const end = performance.now() + READY_MS;
    for (const sentinel of this.sentinels) {
      for (;;) {
        const info = String(await sentinel.command('INFO', 'sentinel'));
        if (/slaves=1,sentinels=3/.test(info)) break;
        if (performance.now() > end) throw new Error(`the sentinels did not find each other: ${info}`);
        await pause(100);
      }
    }
  }
}

async function startSentinel(folder: string, number: number, master: RedisServer): Promise<RedisServer> {
  const configFile = join(folder, `sentinel-${number}.conf`);
  const directives = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} 1500`,
    `sentinel failover-timeout ${MASTER} 5000`,
  ];
  await writeFile(configFile, `${directives.join('\n')}\n`);
  return RedisServer.start({ configFile, sentinel: true });
}
