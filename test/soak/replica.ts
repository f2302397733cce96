import { Child } from '../../bench/child.ts';
import { freePort } from '../support/processes/free-port.ts';
import type { Holdings, LoopDelay, Memory } from './probe.ts';

const PROBE = new URL('./probe.ts', import.meta.url).href;
const SERVER = new URL('../../src/server.ts', import.meta.url).href;
/** A machine that has much else to do takes its time. */
const START_MS = 120_000;

/** Kascade as `npm start` starts it, in a process of its own, with the probe beside it. */
export class Replica {
  readonly url: string;
  readonly #child: Child;

  /** Resolves when it is ready. */
  static async start(env: Readonly<Record<string, string>>): Promise<Replica> {
    const port = await freePort();
    const child = new Child(SERVER, [], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--import', PROBE],
      env: { LOG_LEVEL: 'error', ...env, PORT: String(port) },
    });
    const replica = new Replica(child, `http://127.0.0.1:${port}`);
    await replica.#ready();
    return replica;
  }

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
  }

  memory(): Promise<Memory> {
    return this.#child.ask('memory');
  }

  holdings(): Promise<Holdings> {
    return this.#child.ask('holdings');
  }

  startDelay(): Promise<void> {
    return this.#child.ask('startDelay');
  }

  delay(): Promise<LoopDelay> {
    return this.#child.ask('delay');
  }

  /** Its own levels, as `/metrics` shows them: sockets, feeds, upstream streams. */
  async levels(): Promise<Record<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`, { headers: { connection: 'close' } })).text();
    const lines = text.matchAll(/^kascade_(sockets|feeds|upstream_streams) (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]));
  }

  stop(): void {
    this.#child.stop();
  }

  async #ready(): Promise<void> {
    const end = performance.now() + START_MS;
    while (performance.now() < end) {
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (response?.ok === true) return;
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    throw new Error(`The server at ${this.url} did not become ready.`);
  }
}
