import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import { grant } from '../../demo/apiserver/objects.ts';
import { startKas, type Kas, type KasOptions } from '../../demo/kas/index.ts';

export interface Answer<T = Record<string, unknown>> {
  readonly data?: T | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

/** Kascade as it is deployed, on KAS's stand-in, and the clients people use with it. */
export class WholeServer {
  readonly kas: Kas;
  readonly server: RunningServer;
  readonly #clients: Client[] = [];

  /** `env`: settings beyond KAS_URL. */
  static async start(env: Record<string, string> = {}, kasOptions: KasOptions = {}): Promise<WholeServer> {
    const kas = await startKas(kasOptions);
    const defaults = { PORT: '0', LINGER_SECONDS: '1', DRAIN_SECONDS: '0', LOG_LEVEL: 'silent' };
    const config = readConfig({ KAS_URL: kas.url, ...defaults, ...env });
    const server = await startServer(config, { log: createLog(config.logLevel) });
    const whole = new WholeServer(kas, server);
    whole.allow('ada');
    return whole;
  }

  private constructor(kas: Kas, server: RunningServer) {
    this.kas = kas;
    this.server = server;
  }

  get store() {
    return this.kas.agent(1).api.store;
  }

  allow(user: string, namespace = ''): void {
    this.kas.user(user, { token: tokenOf(user) });
    grant(this.store, user, namespace, ['*'], ['*']);
  }

  /** A query or mutation over HTTP. */
  async ask<T = Record<string, unknown>>(
    query: string,
    variables: Record<string, unknown> = {},
    headers: Record<string, string> = { authorization: `Bearer ${tokenOf('ada')}` },
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer<T>;
  }

  /** The real graphql-ws client. */
  client(user = 'ada', options: { retryAttempts?: number } = {}): Client {
    const client = createClient({
      url: `${this.server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${tokenOf(user)}` },
      retryAttempts: 0,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.dispose();
    await this.server.stop();
    await this.kas.close();
  }
}

/** `extensions.code` of the first error. */
export function codeOf({ errors }: Answer<unknown>): unknown {
  return errors?.[0]?.extensions['code'];
}

export function tokenOf(user: string): string {
  return `glpat-${user}`;
}
