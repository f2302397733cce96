import { expect, test } from 'vitest';
import { ManualClock, eventually, startTestServer } from './test-server.ts';
import { rawSocket, rawUpgrade } from './test-socket.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

function post(url: string, query: string, accept = 'application/json'): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...JSON_TYPE, accept }, body: JSON.stringify({ query }) });
}

test('sockets are closed with 1012, which clients retry, and their sources end', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => server.source.opened === 1);
  await server.drain();
  expect(await raw.closed).toEqual([1012, 'Service Restart']);
  await eventually(() => server.source.closed === 1);
});

test('whoever comes meets 503 and Retry-After; health and readiness are told on', async () => {
  await using server = await startTestServer();
  await server.drain();
  expect(await rawUpgrade(server, '/graphql')).toMatch(/^HTTP\/1.1 503 .*Retry-After: 5/s);
  for (const accept of ['application/json', 'text/event-stream']) {
    const answer = await post(server.http, '{ hello }', accept);
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('connection')]).toEqual([
      503,
      '5',
      'close',
    ]);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE', retryable: true } }] });
  }
  server.notReady.push('draining');
  const at = async (path: string) => (await fetch(server.http.replace('graphql', path))).status;
  expect([await at('healthz'), await at('readyz')]).toEqual([200, 503]);
});

test('a socket that is not closed yet goes on: updates, and operations', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  await using first = await rawSocket(server);
  await using second = await rawSocket(server);
  second.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { quiet }' } });
  await eventually(() => server.source.opened === 1);
  const drained = server.drain(10);
  clock.pass(1_000);
  expect((await first.closed)[0]).toBe(1012);
  server.source.emit('meanwhile');
  second.send({ id: '2', type: 'subscribe', payload: { query: '{ hello }' } });
  await eventually(() => second.messages.some(({ id, type }) => id === '2' && type === 'complete'));
  expect(second.messages).toContainEqual({ id: '1', type: 'next', payload: { data: { quiet: 'meanwhile' } } });
  for (let tick = 0; tick < 200; tick += 1) {
    clock.pass(50);
    await new Promise((done) => setImmediate(done));
  }
  expect((await second.closed)[0]).toBe(1012);
  await drained;
});

test('an answer that is owed leaves before its socket is closed; what is asked meanwhile is not begun', async () => {
  await using server = await startTestServer();
  await using raw = await rawSocket(server);
  raw.send({ id: '1', type: 'subscribe', payload: { query: 'mutation { touchLater }' } });
  await eventually(() => server.touches.begun === 1);
  const drained = server.drain();
  raw.send({ id: '2', type: 'subscribe', payload: { query: 'mutation { touch }' } });
  const ponged = new Promise((resolve) => raw.socket.once('pong', resolve));
  raw.socket.ping();
  await ponged; // so the server has read the mutation as well
  server.touches.finish();
  await drained;
  expect((await raw.closed)[0]).toBe(1012);
  expect(raw.messages.slice(1)).toEqual([
    { id: '1', type: 'next', payload: { data: { touchLater: 'done' } } },
    { id: '1', type: 'complete' },
  ]);
  expect(server.touches.begun).toBe(1);
});

test.each(['application/json', 'text/event-stream'])(
  'an answer that is owed over HTTP leaves as %s, and its connection is not kept',
  async (accept) => {
    await using server = await startTestServer();
    const answer = post(server.http, 'mutation { touchLater }', accept);
    await eventually(() => server.touches.begun === 1);
    await server.drain();
    const closed = server.close();
    expect((await fetch(server.http.replace('graphql', 'healthz'))).status).toBe(200); // it listens until then
    server.touches.finish();
    expect(await (await answer).text()).toContain('{"data":{"touchLater":"done"}}');
    await closed; // fetch keeps connections: it would take 75 s if this one were left open
  },
);

test.each(['text/event-stream', '*/*'])(
  'a stream for %s is cut without a complete: its client comes back',
  async (accept) => {
    await using server = await startTestServer();
    const answer = await post(server.http, 'subscription { quiet }', accept);
    const all = answer.text();
    await server.drain();
    await expect(all).rejects.toThrow('terminated');
    await eventually(() => server.source.closed === 1);
  },
);
