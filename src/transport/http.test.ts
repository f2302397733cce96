import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually, startTestServer } from './test-server.ts';

interface Answer {
  data?: Record<string, unknown>;
  errors?: { message: string; extensions: Record<string, unknown> }[];
}

async function post(
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Answer }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: answer.status, body: (await answer.json()) as Answer };
}

/** Speaks raw HTTP, for what `fetch` would not send. */
async function raw(port: number, request: string): Promise<string> {
  const tcp = connect(port, '127.0.0.1');
  tcp.write(request);
  return text(tcp);
}

test('a query is answered', async () => {
  await using server = await startTestServer();
  expect(await post(server.http, '{ hello }')).toEqual({ status: 200, body: { data: { hello: 'world' } } });
});

test('credentials come from the headers: bearer, or cookie with CSRF token', async () => {
  await using server = await startTestServer();
  expect((await post(server.http, '{ whoami }', { authorization: 'Bearer t1' })).body.data).toEqual({ whoami: 't1' });
  const cookie = await post(server.http, '{ whoami }', { cookie: '_gitlab_kas=1', 'x-csrf-token': 'c1' });
  expect(cookie.body.data).toEqual({ whoami: '1+c1' });
});

test.each<Record<string, string>>([{}, { cookie: '_gitlab_kas=1' }, { authorization: 'nonsense' }])(
  'credentials %j are UNAUTHENTICATED, and only where they are asked for',
  async (headers) => {
    await using server = await startTestServer();
    const { body } = await post(server.http, '{ whoami }', headers);
    expect(body.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect((await post(server.http, '{ hello }', headers)).body.errors).toBeUndefined();
  },
);

test('errors have code, retryable and remedy; a defect shows nothing and is logged without secrets', async () => {
  await using server = await startTestServer();
  const { body } = await post(server.http, '{ refused defect }');
  expect(body.errors?.map(({ extensions }) => extensions['code'])).toEqual(['FORBIDDEN', 'INTERNAL']);
  expect(body.errors?.[0]).toMatchObject({
    message: 'You may not list pods in namespace x.',
    extensions: { retryable: false },
  });
  expect(JSON.stringify(body)).not.toContain('canary');
  expect(server.logged.filter((line) => line.includes('is not a function'))).toHaveLength(1);
  expect(server.logged.join('')).not.toContain('glpat-canary');
});

test.each([
  ['not GraphQL', '{ hello', 'BAD_USER_INPUT'],
  ['an unknown field', '{ nothing }', 'BAD_USER_INPUT'],
  ['no operation', 'fragment f on Query { hello }', 'BAD_USER_INPUT'],
  ['a missing argument', '{ big }', 'BAD_USER_INPUT'],
])('%s is a typed error', async (_what, query, code) => {
  await using server = await startTestServer();
  const { body } = await post(server.http, query);
  expect(body.errors?.[0]?.extensions).toMatchObject({ code, retryable: false });
  expect(JSON.stringify(body)).not.toContain('"http"');
});

test.each([
  ['text/plain', '{"query":"{hello}"}', 415],
  ['application/x-www-form-urlencoded', 'query={hello}', 415],
  ['multipart/form-data; boundary=x', '--x--', 415],
  ['application/json', '{', 400],
  ['application/json', '"{hello}"', 400],
  ['application/json', '[{"query":"{hello}"},{"query":"{hello}"}]', 400],
  ['application/json', '{"query":7}', 400],
  ['application/json', '{"query":"{hello}","other":1}', 400],
])('a POST of %s %s is refused with %i and a typed error', async (contentType, body, status) => {
  await using server = await startTestServer();
  const answer = await fetch(server.http, { method: 'POST', headers: { 'content-type': contentType }, body });
  expect(answer.status).toBe(status);
  const { errors } = (await answer.json()) as Answer;
  expect(errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
});

test('GET executes nothing but event streams', async () => {
  await using server = await startTestServer();
  expect((await fetch(`${server.http}?query={hello}`)).status).toBe(406);
  const mutation = await fetch(`${server.http}?query=mutation{touch}`, { headers: { accept: 'text/event-stream' } });
  expect(await mutation.text()).not.toContain('done');
});

test('a body over MAX_BODY_BYTES is refused, whether it says its length or not', async () => {
  await using server = await startTestServer({ maxBodyBytes: 2_000 });
  const head = 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const declared = await raw(server.port, `${head}Content-Length: 100000000\r\n\r\n{`);
  expect(declared).toMatch(/^HTTP\/1.1 413 .*LIMIT_EXCEEDED/s);
  const chunked = await raw(
    server.port,
    `${head}Transfer-Encoding: chunked\r\n\r\n${'3e8\r\n'.concat('x'.repeat(1_000), '\r\n').repeat(3)}`,
  );
  expect(chunked).toMatch(/^HTTP\/1.1 413 .*LIMIT_EXCEEDED/s);
  expect((await post(server.http, '{ hello }')).status).toBe(200);
});

test('only allowed origins, compared exactly, may speak to us', async () => {
  const origin = 'https://gitlab.example.com';
  await using server = await startTestServer({ allowedOrigins: [origin] });
  const allowed = await fetch(server.http, { method: 'OPTIONS', headers: { origin } });
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
  for (const other of [
    `${origin}.evil.com`,
    'http://gitlab.example.com',
    `${origin}:8443`,
    'null',
    `http://127.0.0.1:${server.port}`,
  ]) {
    const answer = await fetch(server.http, {
      method: 'POST',
      headers: { origin: other, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('without a list, the page must be of our own origin', async () => {
  await using server = await startTestServer();
  expect((await post(server.http, '{ hello }', { origin: `http://127.0.0.1:${server.port}` })).status).toBe(200);
  expect((await post(server.http, '{ hello }', { origin: 'http://evil.example.com' })).status).toBe(403);
  expect((await post(server.http, '{ hello }', { origin: `http://127.0.0.1:${server.port + 1}` })).status).toBe(403);
});

test('health, readiness and all else under the base path', async () => {
  await using server = await startTestServer({ basePath: '/x/y' });
  const at = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [answer.status, await answer.json()];
  };
  expect(await at('/x/y/healthz')).toEqual([200, { status: 'ok' }]);
  expect(await at('/x/y/readyz')).toEqual([200, { status: 'ready', reasons: [], notes: [] }]);
  server.notReady.push('draining');
  expect(await at('/x/y/readyz')).toEqual([503, { status: 'not ready', reasons: ['draining'], notes: [] }]);
  for (const path of ['/', '/graphql', '/x/y', '/x/y/graphql/', '/x/y/../y/nothing', '//x/y/healthz'])
    expect((await at(path))[0]).toBe(404);
});

test.each<[number, string, RequestInit & { path?: string }]>([
  [403, 'FORBIDDEN', { headers: { origin: 'http://evil.example.com' } }],
  [404, 'NOT_FOUND', { path: '/nothing' }],
  [405, 'BAD_USER_INPUT', { method: 'DELETE' }],
  [406, 'BAD_USER_INPUT', {}],
  [413, 'LIMIT_EXCEEDED', { method: 'POST', headers: { 'content-type': 'application/json' }, body: 'x'.repeat(2_001) }],
  [415, 'BAD_USER_INPUT', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }],
  [503, 'UNAVAILABLE', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }],
])('%i is %s, and says what to do', async (status, code, { path = '/graphql', ...init }) => {
  await using server = await startTestServer({ maxBodyBytes: 2_000 });
  if (status === 503) await server.drain();
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  expect(answer.status).toBe(status);
  const remedy = expect.stringMatching(/\w.*\.$/) as string;
  expect(((await answer.json()) as Answer).errors).toMatchObject([
    { extensions: { code, retryable: status === 503, remedy } },
  ]);
});

test('a page of another origin is told whom to ask', async () => {
  await using server = await startTestServer();
  const { body } = await post(server.http, '{ hello }', { origin: 'http://evil.example.com' });
  expect(body.errors?.[0]?.extensions['remedy']).toBe('Ask the operator to name this origin in ALLOWED_ORIGINS.');
});

test('every answer has the security headers', async () => {
  await using server = await startTestServer();
  for (const path of ['/graphql', '/healthz', '/nothing']) {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}${path}`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});

test('other methods are refused, strange requests survived', async () => {
  await using server = await startTestServer();
  expect((await fetch(server.http, { method: 'DELETE' })).status).toBe(405);
  expect(await raw(server.port, 'GET http://evil/graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 404/,
  );
  expect(await raw(server.port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  expect((await post(server.http, '{ hello }')).status).toBe(200);
});

test('without introspection the schema stays private, names of fields included', async () => {
  await using server = await startTestServer({ introspection: false });
  expect((await post(server.http, '{ __schema { types { name } } }')).body.errors?.[0]?.extensions['code']).toBe(
    'BAD_USER_INPUT',
  );
  expect((await post(server.http, '{ helo }')).body.errors?.[0]?.message).not.toContain('hello');
});

test('a client that leaves in the middle of its body harms nobody', async () => {
  await using server = await startTestServer();
  const tcp = connect(server.port, '127.0.0.1');
  tcp.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  await new Promise((done) => setTimeout(done, 20));
  tcp.destroy();
  expect((await post(server.http, '{ hello }')).status).toBe(200);
  await eventually(() => !server.logged.some((line) => line.includes('"level":"error"')));
});
