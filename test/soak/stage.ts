import { Child } from '../../bench/child.ts';
import { RedisServer } from '../support/processes/redis-server.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { Crowd } from './crowd.ts';
import { Replica } from './replica.ts';

export interface StageOptions extends ClusterOptions {
  /** More than one share through a Redis. */
  readonly replicas: number;
  /** Processes of clients. */
  readonly crowds: number;
  readonly env: Readonly<Record<string, string>>;
}

export type Account = Crowd['account'];

const LOOK_MS = 1_000;

/** Everything that takes part: the cluster in this process, the servers and their clients in others. */
export class Stage {
  readonly cluster: Cluster;
  readonly replicas: readonly Replica[];
  readonly crowds: readonly Child[];
  readonly #redis: RedisServer | undefined;

  static async start(options: StageOptions): Promise<Stage> {
    const cluster = await Cluster.start(options);
    const redis = options.replicas > 1 ? await RedisServer.start() : undefined;
    const env = { KAS_URL: cluster.kas.url, ...options.env, ...(redis && { REDIS_URL: redis.url }) };
    const replicas = await Promise.all(Array.from({ length: options.replicas }, () => Replica.start(env)));
    const file = new URL('./viewers.ts', import.meta.url).href;
    const crowds = Array.from({ length: options.crowds }, () => new Child(file));
    const { namespaces, tokens } = cluster;
    const urls = replicas.map(({ url }) => url);
    for (const [index, crowd] of crowds.entries()) {
      await crowd.ask('settle', { urls, namespaces, tokens, seed: options.seed + index });
    }
    return new Stage(cluster, replicas, crowds, redis);
  }

  private constructor(
    cluster: Cluster,
    replicas: readonly Replica[],
    crowds: readonly Child[],
    redis: RedisServer | undefined,
  ) {
    this.#redis = redis;
    this.cluster = cluster;
    this.replicas = replicas;
    this.crowds = crowds;
  }

  tell(what: string, ...args: readonly unknown[]): Promise<unknown> {
    return Promise.all(this.crowds.map((crowd) => crowd.ask(what, ...args)));
  }

  async accounts(): Promise<Account> {
    const all = await Promise.all(this.crowds.map((crowd) => crowd.ask<Account>('account')));
    const sum = (read: (account: Account) => number) => all.reduce((total, account) => total + read(account), 0);
    return {
      viewers: sum(({ viewers }) => viewers),
      joined: sum(({ joined }) => joined),
      returned: sum(({ returned }) => returned),
      queries: sum(({ queries }) => queries),
      messages: sum(({ messages }) => messages),
      breaches: all.flatMap(({ breaches }) => breaches),
      endings: Object.fromEntries(all.flatMap(({ endings }) => Object.entries(endings))),
    };
  }

  /** Whose set is still not the cluster's after `withinMs`, while nothing changes; nobody, if all is well. */
  async different(withinMs: number): Promise<string[]> {
    const truth = this.cluster.truth();
    const look = async () =>
      (await Promise.all(this.crowds.map((crowd) => crowd.ask<string[]>('different', truth)))).flat();
    return until(look, (found) => found.length === 0, withinMs);
  }

  /** What is open: upstream, and in each server. */
  async levels(): Promise<Record<string, number>> {
    const own = await Promise.all(this.replicas.map((replica) => replica.levels()));
    const all: [string, number][] = own.flatMap((levels, index) =>
      Object.entries(levels).map(([name, value]): [string, number] => [`server ${index + 1}: ${name}`, value]),
    );
    return { ...this.cluster.levels(), ...(await this.#inRedis()), ...Object.fromEntries(all) };
  }

  /** What is still open after `withinMs`; all levels are 0 if all is well. */
  released(withinMs: number): Promise<Record<string, number>> {
    return until(
      () => this.levels(),
      (levels) => Object.values(levels).every((level) => level === 0),
      withinMs,
    );
  }

  /** What is written of a feed outlives it for a while, for those who come back; no lease does, and nothing for ever. */
  async #inRedis(): Promise<Record<string, number>> {
    const redis = this.#redis;
    if (redis === undefined) return {};
    const keys = await redis.keys();
    const lives = await Promise.all(keys.map((key) => redis.command('PTTL', key)));
    return {
      'Redis: leases': keys.filter((key) => key.endsWith(':lease')).length,
      'Redis: keys without an end': lives.filter((life) => life === -1).length,
    };
  }

  async stop(): Promise<void> {
    for (const crowd of this.crowds) crowd.stop();
    for (const replica of this.replicas) replica.stop();
    await this.cluster.stop();
    await this.#redis?.close();
  }
}

/** Asks again until the answer is good or the time is up. Resolves with the last answer. */
export async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean, withinMs: number): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer) || performance.now() > end) return answer;
    await sleep(LOOK_MS);
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
