import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { WebSocket } from 'ws';
import { grant } from '../../demo/apiserver/objects.ts';
import { startKas, type Kas } from '../../demo/kas/index.ts';
import type { AuditEntry } from '../../src/access/audit.ts';
import type { Clock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { Counters } from '../../src/counters.ts';
import { createLog } from '../../src/log.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import { eventually } from '../support/eventually.ts';

export interface RightsServerOptions {
  readonly env?: Record<string, string>;
  readonly clock?: Clock;
}

export interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A WebSocket without a client library around it: what is said on it, when, and how it ended. */
export interface RawSocket {
  readonly socket: WebSocket;
  readonly messages: (Message & { readonly at: number })[];
  readonly closed: Promise<readonly [code: number, reason: string]>;
  send(message: object | string): void;
}

/** Kascade as it is deployed, on KAS's stand-in, with everything it logs and counts. */
export class RightsServer implements AsyncDisposable {
  readonly kas: Kas;
  readonly server: RunningServer;
  readonly counters: Counters;
  /** Every line of the log, at its most talkative. */
  readonly lines: string[];
  readonly #clients: { dispose(): void | Promise<void> }[] = [];

  static async start({ env = {}, clock }: RightsServerOptions = {}): Promise<RightsServer> {
    const kas = await startKas();
    const defaults = { PORT: '0', LINGER_SECONDS: '1', DRAIN_SECONDS: '0', LOG_LEVEL: 'trace' };
    const config = readConfig({ KAS_URL: kas.url, ...defaults, ...env });
    const lines: string[] = [];
    const log = createLog(config.logLevel, { write: (line) => void lines.push(line) });
    const counters = new Counters();
    const server = await startServer(config, { log, counters, ...(clock && { clock }) });
    const started = new RightsServer(kas, server, counters, lines);
    started.allow('ada');
    return started;
  }

  private constructor(kas: Kas, server: RunningServer, counters: Counters, lines: string[]) {
    this.kas = kas;
    this.server = server;
    this.counters = counters;
    this.lines = lines;
  }

  get store() {
    return this.kas.agent(1).api.store;
  }

  get url(): string {
    return `${this.server.url}/graphql`;
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  get audit(): AuditEntry[] {
    return this.lines
      .map((line) => (JSON.parse(line) as { audit?: AuditEntry }).audit)
      .filter((entry) => entry !== undefined);
  }

  /** Makes a user, and lets them do everything in one namespace, or ('') in all of them. */
  allow(user: string, namespace = ''): void {
    this.kas.user(user);
    grant(this.store, user, namespace, ['*'], ['*']);
  }

  token(user: string): string {
    return this.kas.user(user).token;
  }

  /** A request exactly as given. */
  post(body: unknown, headers: Record<string, string>): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async ask(query: string, variables: object = {}, user = 'ada'): Promise<Answer> {
    const response = await this.post({ query, variables }, { authorization: `Bearer ${this.token(user)}` });
    return (await response.json()) as Answer;
  }

  /** The real graphql-ws client. */
  client(user = 'ada', options: Partial<ClientOptions> = {}): Client {
    const client = createClient({
      url: this.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${this.token(user)}` },
      retryAttempts: 0,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** A socket that has been acknowledged, unless `init` is false. */
  async raw(
    user = 'ada',
    { init = {}, headers = {} }: { init?: object | false; headers?: Record<string, string> } = {},
  ): Promise<RawSocket> {
    const socket = new WebSocket(this.url.replace('http', 'ws'), ['graphql-transport-ws'], {
      headers,
      perMessageDeflate: false, // what fills buffers must not shrink on the way
    });
    const messages: RawSocket['messages'] = [];
    socket.on('message', (data: Buffer) => {
      messages.push({ ...(JSON.parse(data.toString()) as Message), at: performance.now() });
    });
    socket.on('error', () => undefined);
    const closed = new Promise<readonly [number, string]>((resolve) => {
      socket.once('close', (code, reason) => resolve([code, String(reason)]));
    });
    this.#clients.push({ dispose: () => socket.terminate() });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    const send = (message: object | string) =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    if (init !== false) {
      send({ type: 'connection_init', payload: { Authorization: `Bearer ${this.token(user)}`, ...init } });
      const isOver = () => messages.length > 0 || socket.readyState !== WebSocket.OPEN;
      await eventually('an acknowledgement', isOver, 5_000);
    }
    return { socket, messages, closed, send };
  }

  /** Bytes exactly as given, and all that comes back until the connection ends. */
  wire(bytes: string): Promise<string> {
    const tcp = connect(this.port, '127.0.0.1');
    tcp.write(bytes);
    return text(tcp);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.dispose();
    await this.server.stop();
    await this.kas.close();
  }
}

export interface Answer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: Record<string, unknown>;
  }[];
}

/** The codes of an answer's errors. */
export function codes({ errors = [] }: Answer): unknown[] {
  return errors.map(({ extensions }) => extensions['code']);
}

export const LIVE_PODS = /* GraphQL */ `
  subscription ($namespace: String = "shop", $resume: String) {
    k8sPods(agentId: "1", namespace: $namespace, resume: $resume) {
      type
      upserted {
        metadata {
          name
          resourceVersion
          labels
        }
        spec
      }
      removed
      cursor
      resyncReason
      total
    }
  }
`;
