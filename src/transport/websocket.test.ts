import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createClient } from 'graphql-ws';
import type { Client, ClientOptions, FormattedExecutionResult } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ApiError } from '../errors.ts';
import { ManualClock, eventually, startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';

function clientOf(server: TestServer, options: Partial<ClientOptions> = {}): Client & AsyncDisposable {
  const client = createClient({ url: server.ws, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.dispose() });
}

/** All messages of an operation, and the errors that ended it. */
async function all(client: Client, query: string): Promise<{ results: FormattedExecutionResult[]; errors?: unknown }> {
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

interface Raw extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: { id?: string; type: string; payload?: unknown }[];
  readonly closed: Promise<[code: number, reason: string]>;
  send(message: object | string): void;
}

async function rawSocket(
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

test('queries, mutations and subscriptions run on one socket', async () => {
  await using server = await startTestServer();
  await using client = clientOf(server);
  expect(await all(client, '{ hello }')).toEqual({ results: [{ data: { hello: 'world' } }] });
  expect(await all(client, 'mutation { touch }')).toEqual({ results: [{ data: { touch: 'done' } }] });
  expect((await all(client, 'subscription { count(to: 3) }')).results).toHaveLength(3);
});

test.each([{ Authorization: 'Bearer t1' }, { authorization: 'Bearer t1' }, { AUTHORIZATION: 'Bearer t1' }])(
  'credentials come from connection_init, whatever the case: %j',
  async (connectionParams) => {
    await using server = await startTestServer();
    await using client = clientOf(server, { connectionParams });
    expect((await all(client, '{ whoami }')).results).toEqual([{ data: { whoami: 't1' } }]);
  },
);

test("the cookie is the upgrade's, its CSRF token comes from connection_init", async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server, { headers: { cookie: '_gitlab_kas=1' }, init: { 'X-CSRF-Token': 'c1' } });
  raw.send({ id: '1', type: 'subscribe', payload: { query: '{ whoami }' } });
  await eventually(() => raw.messages.some(({ type }) => type === 'complete'));
  expect(raw.messages).toContainEqual({ id: '1', type: 'next', payload: { data: { whoami: '1+c1' } } });
});

test('without credentials the connection stands, and operations that need them are UNAUTHENTICATED', async () => {
  await using server = await startTestServer();
  await using client = clientOf(server);
  expect(await all(client, 'subscription { refusedAtOnce }')).toMatchObject({
    results: [{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }],
  });
  expect(await all(client, '{ hello }')).toEqual({ results: [{ data: { hello: 'world' } }] });
});

test.each(['nonsense', 7, {}, ['Bearer x']])('malformed credentials (%j) close with 4403', async (Authorization) => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server, { init: { Authorization } });
  expect(await raw.closed).toEqual([4403, 'Forbidden']);
});

test('a source that fails is one error message with code, retryable and remedy; the socket stays', async () => {
  await using server = await startTestServer();
  await using client = clientOf(server);
  const quiet = all(client, 'subscription { quiet }');
  await eventually(() => server.source.opened === 1);
  server.source.fail(new ApiError('AGENT_NOT_CONNECTED', 'The agent is not connected.'));
  const { results, errors } = await quiet;
  expect(results).toEqual([]);
  expect(errors).toMatchObject([
    {
      message: 'The agent is not connected.',
      extensions: { code: 'AGENT_NOT_CONNECTED', retryable: true, remedy: expect.any(String) as unknown },
    },
  ]);
  expect((await all(client, '{ hello }')).results).toHaveLength(1);
  expect(server.sockets.size).toBe(1);
});

test('a defect shows nothing, and is logged once', async () => {
  await using server = await startTestServer();
  await using client = clientOf(server);
  const quiet = all(client, 'subscription { quiet }');
  await eventually(() => server.source.opened === 1);
  server.source.fail(new TypeError('canary'));
  expect(JSON.stringify(await quiet)).toMatch(/INTERNAL/);
  expect(JSON.stringify(await quiet)).not.toContain('canary');
  expect(server.logged.filter((line) => line.includes('canary'))).toHaveLength(1);
});

test.each([
  ['a broken document', '{ hello', 'BAD_USER_INPUT'],
  ['an unknown field', '{ nothing }', 'BAD_USER_INPUT'],
  ['a document too deep', `{ node ${'{ parent '.repeat(12)} { name } ${'}'.repeat(12)} }`, 'LIMIT_EXCEEDED'],
  ['too many tokens', `{ ${'hello '.repeat(2_000)} }`, 'LIMIT_EXCEEDED'],
  ['too many aliases', `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: hello`).join(' ')} }`, 'LIMIT_EXCEEDED'],
])('%s is an error message, as over HTTP', async (_what, query, code) => {
  await using server = await startTestServer();
  await using client = clientOf(server);
  const { errors } = await all(client, query);
  expect(errors).toMatchObject(
    [{ extensions: { code, retryable: false } }].concat(
      query.includes('a30') ? [{ extensions: { code, retryable: false } }] : [],
    ),
  );
  expect(JSON.stringify(errors)).not.toContain('"http"');
});

test('introspection can be switched off', async () => {
  await using server = await startTestServer({ introspection: false });
  await using client = clientOf(server);
  expect((await all(client, '{ __schema { __typename } }')).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});

test('a client that vanishes ends its sources, also idle ones', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => server.source.opened === 1);
  raw.socket.terminate();
  await eventually(() => server.source.closed === 1);
  expect(server.sockets.size).toBe(0);
});

test('complete ends an idle source at once', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => server.source.opened === 1);
  raw.send({ id: '1', type: 'complete' });
  await eventually(() => server.source.closed === 1);
  expect(raw.socket.readyState).toBe(WebSocket.OPEN);
});

test('operations over the limit are LIMIT_EXCEEDED; the socket stays, and places are given back', async () => {
  await using server = await startTestServer({ maxOperationsPerSocket: 2 });
  await using raw = await rawSocket(server);
  for (const id of ['1', '2', '3']) raw.send({ id, type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => raw.messages.some(({ type }) => type === 'error'));
  expect(raw.messages.at(-1)).toMatchObject({ id: '3', payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] });
  raw.send({ id: '1', type: 'complete' });
  await eventually(() => server.source.closed === 1);
  raw.send({ id: '4', type: 'subscribe', payload: { query: '{ hello }' } });
  await eventually(() => raw.messages.some(({ id, type }) => id === '4' && type === 'complete'));
});

test('sockets of a viewer are limited with 1013, which clients retry; other viewers are not concerned', async () => {
  await using server = await startTestServer({ maxSocketsPerViewer: 1 });
  const init = { Authorization: 'Bearer t1' };
  await using first = await rawSocket(server, { init });
  await using second = await rawSocket(server, { init });
  expect(await second.closed).toEqual([1013, 'Too many connections']);
  await using other = await rawSocket(server, { init: { Authorization: 'Bearer t2' } });
  expect(other.messages).toEqual([{ type: 'connection_ack' }]);
  first.socket.close();
  await first.closed;
  await eventually(() => server.sockets.size === 1);
  await using again = await rawSocket(server, { init });
  expect(again.messages).toEqual([{ type: 'connection_ack' }]);
});

const UPGRADE = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n${more}\r\n`;

async function rawUpgrade(server: TestServer, path: string, more?: string): Promise<string> {
  const tcp = connect(server.port, '127.0.0.1');
  tcp.write(UPGRADE(path, more));
  return text(tcp);
}

test('a wrong origin, path or too many from one address are refused before the upgrade', async () => {
  await using server = await startTestServer({ maxSocketsPerAddress: 1, allowedOrigins: ['https://a.example.com'] });
  expect(await rawUpgrade(server, '/graphql', 'Origin: https://evil.example.com\r\n')).toMatch(
    /^HTTP\/1.1 403 Forbidden/,
  );
  expect(await rawUpgrade(server, '/graphql', 'Origin: null\r\n')).toMatch(/^HTTP\/1.1 403/);
  expect(await rawUpgrade(server, '/other')).toMatch(/^HTTP\/1.1 404/);
  await using raw = await rawSocket(server, { headers: { origin: 'https://a.example.com' } });
  expect(await rawUpgrade(server, '/graphql')).toMatch(/^HTTP\/1.1 429 .*Retry-After/s);
  raw.socket.terminate();
  await eventually(() => server.sockets.size === 0);
  await using again = await rawSocket(server);
  expect(again.messages).toHaveLength(1);
});

test.each([
  ['no subprotocol', { protocol: [], init: false as const }, [], 4406],
  [
    'a subscribe before connection_init',
    { init: false as const },
    [{ id: '1', type: 'subscribe', payload: { query: '{ hello }' } }],
    4401,
  ],
  ['a second connection_init', {}, [{ type: 'connection_init' }], 4429],
  ['no JSON', {}, ['{'], 4400],
  ['an unknown message', {}, [{ type: 'hello' }], 4400],
  ['a message over MAX_MESSAGE_BYTES', {}, ['x'.repeat(65_537)], 1009],
])('%s closes with its code and harms nobody else', async (_what, options, messages, code) => {
  await using server = await startTestServer();
  await using bystander = clientOf(server);
  await all(bystander, '{ hello }');
  await using raw = await rawSocket(server, options);
  for (const message of messages) raw.send(message);
  expect((await raw.closed)[0]).toBe(code);
  expect((await all(bystander, '{ hello }')).results).toHaveLength(1);
});

test('an id in use closes with 4409', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  for (const id of ['1', '1']) raw.send({ id, type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  expect((await raw.closed)[0]).toBe(4409);
  await eventually(() => server.source.opened === server.source.closed);
});

test('a reader that takes nothing for 30 s is closed with 1013; a slow one and an idle one are not', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using idle = await rawSocket(server);
  await using slow = await rawSocket(server);
  await using stuck = await rawSocket(server);
  for (const raw of [stuck, slow])
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood(bytes: 262144) }' } });
  await eventually(() => stuck.messages.length > 2 && slow.messages.length > 2);
  stuck.socket.pause();
  const start = clock.monotonic();
  while (!server.logged.some((line) => line.includes('reads nothing'))) {
    const before = slow.messages.length;
    await eventually(() => slow.messages.length > before + 1);
    await new Promise((done) => setTimeout(done, 10)); // the kernel's buffers for the stuck one fill up
    clock.pass(1_000);
  }
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(30_000);
  stuck.socket.resume();
  expect((await stuck.closed)[0]).toBe(1013);
  expect(slow.socket.readyState).toBe(WebSocket.OPEN);
  expect(idle.socket.readyState).toBe(WebSocket.OPEN);
});

test('a client that only asks and never reads is not read from for ever', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using raw = await rawSocket(server);
  raw.socket.pause();
  const payload = { filler: 'x'.repeat(60_000) };
  for (let count = 0; count < 2_000; count += 1) raw.send({ type: 'ping', payload });
  await new Promise((done) => setTimeout(done, 300));
  expect(raw.socket.bufferedAmount).toBeGreaterThan(50_000_000); // most of it waits at the client
  raw.socket.terminate();
});

test('a peer that answers no ping is dropped', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using alive = await rawSocket(server);
  await using dead = await rawSocket(server);
  dead.socket.pong = () => undefined;
  Object.assign(dead.socket, { _autoPong: false });
  for (let beat = 0; beat < 3; beat += 1) {
    clock.pass(12_000);
    await new Promise((done) => setTimeout(done, 20));
  }
  expect((await dead.closed)[0]).toBe(1006);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test('stopping sends clients away with 1012, which they retry, and ends their sources', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => server.source.opened === 1);
  await server.sockets.stop();
  expect(await raw.closed).toEqual([1012, 'Service Restart']);
  await eventually(() => server.source.closed === 1);
  expect(await rawUpgrade(server, '/graphql')).toMatch(/^HTTP\/1.1 503/);
});
