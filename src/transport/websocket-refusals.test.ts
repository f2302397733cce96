import { expect, test } from 'vitest';
import { eventually, startTestServer } from './test-server.ts';
import { all, clientOf, rawSocket, rawUpgrade } from './test-socket.ts';

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

test.each(['nonsense', 7, {}, ['Bearer x']])('malformed credentials (%j) close with 4403', async (Authorization) => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server, { init: { Authorization } });
  expect(await raw.closed).toEqual([4403, 'Forbidden']);
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
