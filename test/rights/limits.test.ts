import { expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { respond } from '../../demo/apiserver/effects.ts';
import { eventually } from '../support/eventually.ts';
import { codes, LIVE_PODS, RightsServer } from './rights-server.ts';

/** Every limit, by the name of its variable: what it does, what is told, that it is counted. */

const COUNT = '{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }';

function start(env: Record<string, string>): Promise<RightsServer> {
  return RightsServer.start({ env });
}

function hits(whole: RightsServer, limit: string): number {
  return whole.counters.value('limits_hit', { limit });
}

it('MAX_SOCKETS_PER_VIEWER: one too many is closed with 1013, for a token and for a session on several pages', async () => {
  await using whole = await start({ MAX_SOCKETS_PER_VIEWER: '1' });
  await whole.raw('ada');
  expect(await (await whole.raw('ada')).closed).toEqual([1013, 'Too many connections']);
  const headers = { cookie: '_gitlab_kas=one-session' };
  await whole.raw('eve', { headers, init: { Authorization: undefined, 'X-CSRF-Token': 'page-1' } });
  const second = await whole.raw('eve', { headers, init: { Authorization: undefined, 'X-CSRF-Token': 'page-2' } });
  expect((await second.closed)[0]).toBe(1013);
  expect(hits(whole, 'MAX_SOCKETS_PER_VIEWER')).toBe(2);
});

it('MAX_SOCKETS_PER_ADDRESS: one too many is refused with 429', async () => {
  await using whole = await start({ MAX_SOCKETS_PER_ADDRESS: '1' });
  await whole.raw('ada');
  await expect(whole.raw('ada')).rejects.toThrow('429');
  expect(hits(whole, 'MAX_SOCKETS_PER_ADDRESS')).toBe(1);
});

it('MAX_UPGRADES_PER_SECOND: more are refused with 429, and a second later there is room again', async () => {
  await using whole = await start({ MAX_UPGRADES_PER_SECOND: '3' });
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => whole.raw('ada')));
  const refused = opened.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThanOrEqual(4);
  expect(hits(whole, 'MAX_UPGRADES_PER_SECOND')).toBe(refused.length);
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  await whole.raw('ada');
});

it('MAX_OPERATIONS_PER_SOCKET and MAX_SUBSCRIPTIONS_PER_VIEWER: more are LIMIT_EXCEEDED, the socket stays', async () => {
  await using whole = await start({ MAX_OPERATIONS_PER_SOCKET: '3', MAX_SUBSCRIPTIONS_PER_VIEWER: '4' });
  const sockets = [await whole.raw('ada'), await whole.raw('ada')];
  for (const raw of sockets) {
    for (let id = 1; id <= 4; id += 1) raw.send({ id: String(id), type: 'subscribe', payload: { query: LIVE_PODS } });
  }
  const refusals = () =>
    sockets.flatMap(({ messages }) => messages.filter((each) => JSON.stringify(each).includes('LIMIT_EXCEEDED')));
  await eventually(
    'refusals',
    () => refusals().length === 4,
    5_000,
    () => refusals().length,
  );
  const text = JSON.stringify(refusals());
  expect(text.match(/\(MAX_OPERATIONS_PER_SOCKET\)/g)).toHaveLength(2);
  expect(text.match(/\(MAX_SUBSCRIPTIONS_PER_VIEWER\)/g)).toHaveLength(2);
  expect(hits(whole, 'MAX_OPERATIONS_PER_SOCKET')).toBe(2);
  expect(hits(whole, 'MAX_SUBSCRIPTIONS_PER_VIEWER')).toBe(2);
  for (const { socket } of sockets) expect(socket.readyState).toBe(socket.OPEN);
});

it('MAX_FEEDS_PER_VIEWER counts what was left as long as it lingers, whatever form the token has', async () => {
  await using whole = await start({ MAX_FEEDS_PER_VIEWER: '2', LINGER_SECONDS: '1' });
  const ask = async (namespace: string, authorization = `Bearer ${whole.token('ada')}`) => {
    const query = `{ k8sPods(agentId: "1", namespace: "${namespace}") { totalCount } }`;
    return codes(
      (await (await whole.post({ query }, { authorization })).json()) as Awaited<ReturnType<typeof whole.ask>>,
    );
  };
  expect([await ask('a'), await ask('b'), await ask('b')]).toEqual([[], [], []]);
  expect(await ask('c')).toEqual(['LIMIT_EXCEEDED']);
  expect(await ask('d', `Bearer pat:1:${whole.token('ada')}`)).toEqual(['LIMIT_EXCEEDED']);
  expect(hits(whole, 'MAX_FEEDS_PER_VIEWER')).toBe(2);
  await new Promise((resolve) => {
    setTimeout(resolve, 1_100);
  });
  expect(await ask('c')).toEqual([]);
});

it('AGENT_STREAM_BUDGET: a scope too many is LIMIT_EXCEEDED, and those that are open go on', async () => {
  await using whole = await start({ AGENT_STREAM_BUDGET: '1', LINGER_SECONDS: '30', WATCH_TRANSPORT: 'http' });
  expect(codes(await whole.ask(COUNT))).toEqual([]);
  const other = await whole.ask('{ k8sServices(agentId: "1", namespace: "shop") { totalCount } }');
  expect(other.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', retryable: true } }]);
  expect(hits(whole, 'AGENT_STREAM_BUDGET')).toBe(1);
  whole.store.create(makePod({ name: 'p', namespace: 'shop' }));
  expect(codes(await whole.ask(COUNT))).toEqual([]);
});

it('MAX_MESSAGE_BYTES and MAX_BODY_BYTES: larger ones are refused with 1009 and 413', async () => {
  await using whole = await start({ MAX_MESSAGE_BYTES: '2048', MAX_BODY_BYTES: '2048' });
  const raw = await whole.raw('ada');
  raw.send(' '.repeat(3_000));
  expect((await raw.closed)[0]).toBe(1009);
  const answer = await whole.post(' '.repeat(3_000), {});
  expect(answer.status).toBe(413);
  expect(codes((await answer.json()) as Awaited<ReturnType<typeof whole.ask>>)).toEqual(['LIMIT_EXCEEDED']);
  expect([hits(whole, 'MAX_MESSAGE_BYTES'), hits(whole, 'MAX_BODY_BYTES')]).toEqual([1, 1]);
});

it.each([
  ['MAX_TOKENS', '100', `{ ${'__typename '.repeat(101)} }`],
  ['MAX_DEPTH', '3', '{ k8sPods(agentId: "1") { nodes { metadata { name } } } }'],
  ['MAX_ALIASES', '1', '{ a: __typename b: __typename }'],
  ['MAX_ROOT_FIELDS', '1', '{ __typename again: __typename }'],
])('%s=%s is what it says', async (name, value, query) => {
  await using whole = await start({ [name]: value });
  const answer = await whole.ask(query);
  expect(answer.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', retryable: false } }]);
  expect(answer.errors?.[0]?.message).toContain(name);
  expect(hits(whole, name)).toBe(1);
});

it('MAX_REQUEST_SECONDS: what takes longer is LIMIT_EXCEEDED, over HTTP and on a socket', async () => {
  await using whole = await start({ MAX_REQUEST_SECONDS: '1' });
  whole.kas.agent(1).api.faults.add({ match: { resource: 'selfsubjectaccessreviews' }, effect: { blackHole: true } });
  const at = performance.now();
  const answer = await whole.ask(COUNT);
  expect(answer.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', retryable: true } }]);
  expect(performance.now() - at).toBeLessThan(3_000);
  const raw = await whole.raw('ada');
  raw.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
  await eventually('a refusal', () => JSON.stringify(raw.messages).includes('(MAX_REQUEST_SECONDS)'), 3_000);
  expect(hits(whole, 'MAX_REQUEST_SECONDS')).toBe(2);
});

it('MAX_SOCKET_SECONDS: a connection ends with 1012, which graphql-ws clients answer by connecting again', async () => {
  await using whole = await start({ MAX_SOCKET_SECONDS: '1' });
  let connected = 0;
  let updates = 0;
  const client = whole.client('ada', {
    retryAttempts: 5,
    retryWait: async () => undefined,
    on: { connected: () => (connected += 1) },
  });
  client.subscribe(
    { query: LIVE_PODS },
    { next: () => (updates += 1), error: () => undefined, complete: () => undefined },
  );
  const stream = await whole.post(
    { query: LIVE_PODS },
    { accept: 'text/event-stream', authorization: `Bearer ${whole.token('ada')}` },
  );
  await expect(stream.text()).rejects.toThrow('terminated');
  await eventually(
    'it came back',
    () => connected >= 2 && updates >= 2,
    5_000,
    () => [connected, updates],
  );
  expect(hits(whole, 'MAX_SOCKET_SECONDS')).toBeGreaterThanOrEqual(2);
});

it('batches are not taken', async () => {
  await using whole = await start({});
  expect((await whole.post([{ query: COUNT }, { query: COUNT }], {})).status).toBe(400);
});

it('what the cluster limits is RATE_LIMITED, not ours', async () => {
  await using whole = await start({});
  whole.kas
    .agent(1)
    .api.faults.add({ match: { resource: 'selfsubjectaccessreviews' }, effect: respond(429, 'TooManyRequests') });
  expect(codes(await whole.ask(COUNT))).toEqual(['RATE_LIMITED']);
});
