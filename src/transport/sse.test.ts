import { expect, test } from 'vitest';
import { connect } from 'node:net';
import { ApiError } from '../errors.ts';
import { ManualClock, eventually, startTestServer } from './test-server.ts';

function subscribe(url: string, query: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    ...init,
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
}

function eventsOf(text: string): unknown[] {
  const blocks = text.split('\n\n').filter((block) => block.startsWith('event:'));
  return blocks.map((block) => {
    const [, event, data] = /^event: (\w+)\ndata: ?(.*)$/s.exec(block) ?? [];
    return data ? [event, JSON.parse(data)] : [event];
  });
}

test('a subscription is a stream of next, then complete', async () => {
  await using server = await startTestServer();
  const answer = await subscribe(server.http, 'subscription { count(to: 2) }');
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  expect(eventsOf(await answer.text())).toEqual([
    ['next', { data: { count: 1 } }],
    ['next', { data: { count: 1 } }],
    ['complete'],
  ]);
});

test('GET streams as well', async () => {
  await using server = await startTestServer();
  const answer = await fetch(`${server.http}?query=subscription{count(to:1)}`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(eventsOf(await answer.text())).toEqual([['next', { data: { count: 1 } }], ['complete']]);
});

function postAccepting(url: string, accept: string, query: string, signal?: AbortSignal): Promise<Response> {
  const headers = { accept, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }), ...(signal && { signal }) });
}

/** curl's default, that of a popular HTTP client, and others that leave the choice to us. */
const LEAVE_IT_TO_US = ['*/*', 'application/json, text/plain, */*', 'text/*', 'multipart/mixed, */*;q=0.5'];

test.each(LEAVE_IT_TO_US)('who accepts %s gets an event stream like any other, and answers as JSON', async (accept) => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock, maxSocketSeconds: 100 });
  const answer = await postAccepting(server.http, accept, 'subscription { count(to: 1) }');
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  expect(eventsOf(await answer.text())).toEqual([['next', { data: { count: 1 } }], ['complete']]);
  expect(server.counters.value('deliveries', { transport: 'sse', mode: 'plain' })).toBe(1);
  const open = await postAccepting(server.http, accept, 'subscription { quiet }');
  const all = open.text();
  clock.pass(111_000);
  await expect(all).rejects.toThrow('terminated');
  expect(server.counters.value('limits_hit', { limit: 'MAX_SOCKET_SECONDS' })).toBe(1);
  if (accept.startsWith('text')) return;
  const query = await postAccepting(server.http, accept, '{ hello }');
  expect(query.headers.get('content-type')).toContain('json');
});

test.each(['application/json', 'application/graphql-response+json', 'application/json, text/*;q=0'])(
  'who accepts only %s is told so, and nothing is opened',
  async (accept) => {
    await using server = await startTestServer();
    const answer = await postAccepting(server.http, accept, 'subscription { quiet }');
    expect(answer.status).toBe(406);
    expect(await answer.json()).toMatchObject({
      errors: [
        { message: expect.stringContaining('text/event-stream') as unknown, extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
    expect(server.source.opened).toBe(0);
  },
);

test('nothing but our own event streams carries a subscription, whatever a body looks like', async () => {
  await using server = await startTestServer();
  const headers = { accept: '*/*', 'content-type': 'application/json' };
  const body = `\ufeff${JSON.stringify({ query: 'subscription { quiet }' })}`;
  const answer = await fetch(server.http, { method: 'POST', headers, body });
  await answer.text();
  expect(server.source.opened).toBe(0);
});

test('a client that goes away ends its source at once, however quiet that is', async () => {
  await using server = await startTestServer();
  const leave = new AbortController();
  await subscribe(server.http, 'subscription { quiet }', { signal: leave.signal });
  expect(server.source).toMatchObject({ opened: 1, closed: 0 });
  leave.abort();
  await eventually(() => server.source.closed === 1);
});

test('a client that goes away while it reads ends its source too', async () => {
  await using server = await startTestServer();
  const leave = new AbortController();
  const answer = await subscribe(server.http, 'subscription { quiet }', { signal: leave.signal });
  const reader = answer.body?.getReader();
  server.source.emit('one');
  let seen = '';
  while (!seen.includes('one')) seen += new TextDecoder().decode((await reader?.read())?.value);
  expect(server.source.closed).toBe(0);
  leave.abort();
  await eventually(() => server.source.closed === 1);
});

test('a source that fails is a last next with its error, then complete', async () => {
  await using server = await startTestServer();
  const answer = await subscribe(server.http, 'subscription { quiet }');
  server.source.fail(new ApiError('ACCESS_REVOKED', 'You may not watch pods any longer.'));
  const [next, complete, ...more] = eventsOf(await answer.text()) as [string, { errors: { extensions: object }[] }][];
  expect(next).toMatchObject([
    'next',
    { errors: [{ message: 'You may not watch pods any longer.', extensions: { code: 'ACCESS_REVOKED' } }] },
  ]);
  expect([complete, more]).toEqual([['complete'], []]);
});

test('a defect of a source shows nothing', async () => {
  await using server = await startTestServer();
  const answer = await subscribe(server.http, 'subscription { quiet }');
  server.source.fail(new TypeError('canary'));
  const events = await answer.text();
  expect(events).toContain('INTERNAL');
  expect(events).not.toContain('canary');
});

test('a subscription refused at once is told so in the stream', async () => {
  await using server = await startTestServer();
  const answer = await subscribe(server.http, 'subscription { refusedAtOnce }');
  expect(answer.status).toBe(200);
  expect(eventsOf(await answer.text())).toMatchObject([
    ['next', { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }],
    ['complete'],
  ]);
});

test('a reader that takes nothing for 30 s is cut off, others go on', async () => {
  const clock = new ManualClock();
  await using server = await startTestServer({ clock });
  const query = encodeURIComponent('subscription { flood(bytes: 65536) }');
  const stuck = connect(server.port, '127.0.0.1').pause();
  stuck.write(`GET /graphql?query=${query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
  const closed = new Promise((resolve) => stuck.once('close', resolve));
  const other = await subscribe(server.http, 'subscription { quiet }');
  await new Promise((done) => setTimeout(done, 100)); // until the kernel takes no more
  clock.pass(36_000);
  stuck.resume();
  await closed;
  server.source.emit('still here');
  const reader = other.body?.getReader();
  let seen = '';
  while (!seen.includes('still here')) seen += new TextDecoder().decode((await reader?.read())?.value);
  expect(seen).toContain('still here');
  await reader?.cancel();
});
