import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createClient } from 'graphql-ws';
import type { Client, ClientOptions, FormattedExecutionResult } from 'graphql-ws';
import { WebSocket } from 'ws';
import { eventually } from './test-server.ts';
import type { TestServer } from './test-server.ts';

/** For the tests of this folder: clients of a test server's sockets. */

export function clientOf(server: TestServer, options: Partial<ClientOptions> = {}): Client & AsyncDisposable {
  const client = createClient({ url: server.ws, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.dispose() });
}

/** All messages of an operation, and the errors that ended it. */
export async function all(
  client: Client,
  query: string,
): Promise<{ results: FormattedExecutionResult[]; errors?: unknown }> {
  const results: FormattedExecutionResult[] = [];
  return new Promise((resolve) => {
    client.subscribe(
      { query },
      {
        next: (result) => void results.push(result as FormattedExecutionResult),
        error: (errors) => resolve({ results, errors }),
        complete: () => resolve({ results }),
      },
    );
  });
}

/** A socket without a client's manners. */
export interface Raw extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: { id?: string; type: string; payload?: unknown }[];
  readonly closed: Promise<[code: number, reason: string]>;
  send(message: object | string): void;
}

export async function rawSocket(
  server: TestServer,
  options: { headers?: Record<string, string>; protocol?: string[]; init?: object | false } = {},
): Promise<Raw> {
  const socket = new WebSocket(server.ws, options.protocol ?? ['graphql-transport-ws'], {
    headers: options.headers ?? {},
  });
  const messages: Raw['messages'] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Raw['messages'][number]));
  socket.on('error', () => undefined);
  const closed = new Promise<[number, string]>((resolve) =>
    socket.once('close', (code, reason) => resolve([code, String(reason)])),
  );
  const send = (message: object | string) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  if (options.init !== false) {
    send({ type: 'connection_init', payload: options.init });
    await Promise.race([eventually(() => messages.some(({ type }) => type === 'connection_ack')), closed]);
  }
  return { socket, messages, closed, send, [Symbol.asyncDispose]: async () => socket.terminate() };
}

export const UPGRADE = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n${more}\r\n`;

/** All that comes back for a request to upgrade, as text. */
export async function rawUpgrade(server: TestServer, path: string, more?: string): Promise<string> {
  const tcp = connect(server.port, '127.0.0.1');
  tcp.write(UPGRADE(path, more));
  return text(tcp);
}
