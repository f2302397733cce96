import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { Counters } from '../../src/counters.ts';
import { createLog } from '../../src/log.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import type { Answer } from '../support/whole-server.ts';

/** Kascade on a kubeconfig, with everything it logs and counts. */
export class LocalServer implements AsyncDisposable {
  readonly server: RunningServer;
  /** Every line of the log, at its most talkative. */
  readonly lines: string[];
  readonly counters: Counters;
  readonly #clients: Client[] = [];

  static async start(path: string, env: Record<string, string> = {}): Promise<LocalServer> {
    const config = readConfig({ KUBECONFIG_SOURCE: path, PORT: '0', LINGER_SECONDS: '1', LOG_LEVEL: 'trace', ...env });
    const lines: string[] = [];
    const counters = new Counters();
    const log = createLog(config.logLevel, { write: (line) => void lines.push(line) });
    return new LocalServer(await startServer(config, { log, counters }), lines, counters);
  }

  private constructor(server: RunningServer, lines: string[], counters: Counters) {
    this.server = server;
    this.lines = lines;
    this.counters = counters;
  }

  get url(): string {
    return `${this.server.url}/graphql`;
  }

  /** Without any credentials. */
  async ask<T = Record<string, unknown>>(query: string, variables: object = {}): Promise<Answer<T>> {
    const { body } = await this.send({}, { query, variables });
    return JSON.parse(body) as Answer<T>;
  }

  /** A request with exactly these headers; what `fetch` would not let one say can be said. */
  async send(
    headers: Record<string, string>,
    body?: object | string,
    path = new URL(this.url).pathname,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const sent = typeof body === 'object' ? JSON.stringify(body) : body;
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, this.url), {
        method: sent === undefined ? 'GET' : 'POST',
        headers: { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
      });
      call.on('error', reject).on('response', (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      call.end(sent);
    });
  }

  /** How a WebSocket with these headers is answered. */
  upgrade(headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url.replace('http', 'ws'), ['graphql-transport-ws'], { headers });
      socket.once('open', () => {
        socket.terminate();
        resolve(101);
      });
      socket.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.once('error', reject);
    });
  }

  /** The real graphql-ws client. */
  client(): Client {
    const client = createClient({
      url: this.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.dispose();
    await this.server.stop();
  }
}
