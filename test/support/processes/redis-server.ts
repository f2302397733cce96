import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';

const PROGRAM = process.env['KASCADE_TEST_REDIS'] ?? onPath('redis-server');

/** Whether tests with a Redis can run; if not, `what` is said to be skipped. */
export function hasRedis(what: string): boolean {
  if (PROGRAM === undefined) console.error(`SKIPPED: ${what}, because there is no Redis (set KASCADE_TEST_REDIS).`);
  return PROGRAM !== undefined;
}

export interface RedisOptions {
  /** Directives of redis.conf: `{ maxmemory: '10mb' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** A file to read first, which it may write to: sentinels need one. */
  readonly configFile?: string;
  readonly sentinel?: boolean;
}

/** A redis-server on a port of its own, which keeps nothing on disk: killed, it forgets everything. */
export class RedisServer {
  readonly port: number;
  readonly #options: RedisOptions;
  readonly #folder: string;
  #child: Child;

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'kascade-redis-'));
    const server = new RedisServer(await freePort(), folder, options);
    await server.#ready();
    return server;
  }

  private constructor(port: number, folder: string, options: RedisOptions) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
    this.#child = this.#spawn();
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** What it has logged since it was started last. */
  get lines(): readonly string[] {
    return this.#child.lines;
  }

  /** SIGKILL: connections break, everything is forgotten. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void {
    this.#child.signal('SIGSTOP');
  }

  resume(): void {
    this.#child.signal('SIGCONT');
  }

  /** After `kill`: empty, on the same port. */
  async restart(): Promise<void> {
    await this.#child.kill();
    this.#child = this.#spawn();
    await this.#ready();
  }

  /** Any command, on a connection of its own: `command('CLIENT', 'KILL', 'TYPE', 'pubsub')`. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const redis = new Redis(this.port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined); // told by the command, too
    try {
      await redis.connect();
      return await redis.call(name, ...args);
    } finally {
      redis.disconnect();
    }
  }

  /** The names of keys that fit a glob pattern. */
  async keys(pattern = '*'): Promise<string[]> {
    const keys = await this.command('KEYS', pattern);
    return Array.isArray(keys) ? keys.map(String).toSorted() : [];
  }

  async close(): Promise<void> {
    await this.#child.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): Child {
    if (PROGRAM === undefined) throw new Error('There is no Redis: set KASCADE_TEST_REDIS to a redis-server.');
    const { config = {}, configFile, sentinel = false } = this.#options;
    const directives = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.#folder,
      ...(!sentinel && { save: '', appendonly: 'no' }),
      ...config,
    };
    return new Child({
      name: `redis-server ${this.port}`,
      command: PROGRAM,
      args: [
        ...(configFile === undefined ? [] : [configFile]),
        ...Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]),
        ...(sentinel ? ['--sentinel'] : []),
      ],
    });
  }

  async #ready(): Promise<void> {
    await this.#child.line((line) => /Ready to accept connections|Sentinel ID is/.test(line));
  }
}

function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
