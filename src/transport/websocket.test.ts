import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ApiError } from '../errors.ts';
import { eventually, startTestServer } from './test-server.ts';
import { all, clientOf, rawSocket } from './test-socket.ts';

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
