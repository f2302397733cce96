import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TAMPERING = new URL('./tampering.ts', import.meta.url).href;
const STOP_MS = 20_000;

export interface ReplicaOptions {
  readonly name?: string;
  readonly kasUrl: string;
  readonly redisUrl?: string;
  /** Connections to the first port go to the second: a line of its own to what all replicas call the same. */
  readonly route?: readonly [from: number, to: number];
  /** Settings beyond these, as in production. */
  readonly env?: Readonly<Record<string, string>>;
  /** How wrong its wall clock is, in milliseconds. */
  readonly clockShiftMs?: number;
}

/** Kascade as a process of its own, as `npm start` runs it. */
export class Replica implements AsyncDisposable {
  readonly name: string;
  /** "http://127.0.0.1:41234"; another one after each start. */
  url = '';
  readonly #options: ReplicaOptions;
  #child: Child;

  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options);
    await replica.#ready();
    return replica;
  }

  private constructor(options: ReplicaOptions) {
    this.name = options.name ?? 'replica';
    this.#options = options;
    this.#child = this.#spawn();
  }

  /** What it has logged since it was started last. */
  get lines(): readonly string[] {
    return this.#child.lines;
  }

  get isRunning(): boolean {
    return this.#child.isRunning;
  }

  get webSocketUrl(): string {
    return `${this.url.replace('http', 'ws')}/graphql`;
  }

  /** Log lines of level error and fatal: there are none, whatever happens around it. */
  get defects(): string[] {
    return this.lines.filter((line) => /"level":"(error|fatal)"/.test(line) || /^\s+at |Error:/.test(line));
  }

  /** Resolves when it has ended: "exit 0", "SIGKILL". */
  get exited(): Promise<string> {
    return this.#child.exited;
  }

  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.#child.signal(name);
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#child.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  /** SIGSTOP: it does nothing, and its connections stay. */
  pause(): void {
    this.#child.signal('SIGSTOP');
  }

  resume(): void {
    this.#child.signal('SIGCONT');
  }

  /** Blocks its event loop for two seconds. */
  block(): void {
    this.#child.signal('SIGUSR2');
  }

  /** SIGTERM, and until it has ended. Rejects when it does not end in time. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.name} did not stop within ${STOP_MS} ms`)), STOP_MS);
    });
    try {
      await Promise.race([this.#child.exited, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** After `kill` or `stop`: a new process, on another port. */
  async restart(): Promise<void> {
    await this.#child.kill();
    this.#child = this.#spawn();
    await this.#ready();
  }

  /** A number of `/metrics`, summed over all labels that fit: `metric('kascade_feeds')`. Undefined: there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const response = await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(5_000) });
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const lines = (await response.text()).split('\n').filter((line) => {
      const isNamed = line.startsWith(`${name} `) || line.startsWith(`${name}{`);
      return isNamed && wanted.every((label) => line.includes(label));
    });
    if (lines.length === 0) return undefined;
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  #spawn(): Child {
    const { kasUrl, redisUrl, route, env, clockShiftMs } = this.#options;
    return new Child({
      name: this.name,
      command: process.execPath,
      args: ['--import', TAMPERING, 'src/server.ts'],
      cwd: ROOT,
      env: {
        NODE_ENV: 'production',
        KAS_URL: kasUrl,
        PORT: '0',
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        ...(route && { KASCADE_TEST_ROUTE: route.join(' ') }),
        ...(clockShiftMs !== undefined && { KASCADE_TEST_CLOCK_SHIFT_MS: String(clockShiftMs) }),
        ...env,
      },
    });
  }

  async #ready(): Promise<void> {
    const line = await this.#child.line((each) => each.includes('"Kascade listens."'));
    this.url = (JSON.parse(line) as { url: string }).url;
  }
}
