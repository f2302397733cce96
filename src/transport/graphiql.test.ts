import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Script } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createFetcher } from './graphiql-fetcher.ts';
import { eventually, startTestServer } from './test-server.ts';

const asBrowser = { headers: { accept: 'text/html', 'accept-encoding': 'identity' } };

test('the page fetches nothing from anywhere, and its policy allows nothing else', async () => {
  await using server = await startTestServer({
    graphiql: { headers: '{"Authorization":"Bearer t1"}', query: '{ hello }' },
  });
  const answer = await fetch(server.http, asBrowser);
  const page = await answer.text();
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect(page).toContain('<title>Kascade</title>');
  expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/);
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'sha256-/);
  expect(page).toContain(String.raw`"defaultHeaders":"{\"Authorization\":\"Bearer t1\"}"`);
  expect(page).toContain('"defaultQuery":"{ hello }"');
});

test('it travels compressed', async () => {
  await using server = await startTestServer();
  const compressed = await new Promise<Buffer>((resolve) => {
    get(server.http, { headers: { accept: 'text/html', 'accept-encoding': 'gzip' } }, (answer) => {
      expect(answer.headers['content-encoding']).toBe('gzip');
      resolve(buffer(answer));
    });
  });
  expect(compressed.byteLength).toBeLessThan(4_000_000);
  expect(gunzipSync(compressed).toString()).toContain('fetcher: (');
});

test('defaults cannot end the script they stand in', async () => {
  await using server = await startTestServer({ graphiql: { query: '</script><script>alert(1)</script>' } });
  const page = await (await fetch(server.http, asBrowser)).text();
  expect(page).not.toContain('<script>alert');
  const script = page.slice(page.indexOf('<script>') + '<script>'.length, page.lastIndexOf('</script>'));
  expect(() => new Script(script)).not.toThrow();
});

test('it can be switched off', async () => {
  await using server = await startTestServer({ graphiql: false });
  expect((await fetch(server.http, asBrowser)).status).toBe(406);
});

const HEADERS = { Authorization: 'Bearer t1' };

test('its fetcher sends the headers tab with queries', async () => {
  await using server = await startTestServer();
  const fetcher = createFetcher(`${server.http}?query=x#y`);
  expect(await fetcher({ query: '{ whoami }' }, { headers: HEADERS })).toEqual({ data: { whoami: 't1' } });
});

interface Seen {
  readonly results: unknown[];
  ended: unknown;
  unsubscribe(): void;
}

function run(page: string, query: string, operationName?: string): Seen {
  const documentAST = parse(query);
  const live = createFetcher(page)(
    { query, ...(operationName && { operationName }) },
    { headers: HEADERS, documentAST },
  );
  if (live instanceof Promise) throw new Error('It was sent with HTTP.');
  const seen: Seen = { results: [], ended: undefined, unsubscribe: () => undefined };
  const { unsubscribe } = live.subscribe({
    next: (result) => seen.results.push(result),
    error: (error) => (seen.ended = error),
    complete: () => (seen.ended = 'complete'),
  });
  return Object.assign(seen, { unsubscribe });
}

test('its fetcher runs subscriptions over graphql-transport-ws, and sends the headers tab with connection_init', async () => {
  await using server = await startTestServer();
  const counted = run(server.http, 'query A { hello } subscription B { count(to: 2) }', 'B');
  await eventually(() => counted.ended === 'complete');
  expect(counted.results).toEqual([{ data: { count: 1 } }, { data: { count: 1 } }]);
  const failed = run(server.http, 'subscription { nothing }');
  await eventually(() => failed.ended === 'complete');
  expect(failed.results).toMatchObject([{ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
});

test('its fetcher lets go when it is stopped, and tells when the server does', async () => {
  await using server = await startTestServer();
  const stopped = run(server.http, 'subscription { quiet }');
  await eventually(() => server.source.opened === 1);
  stopped.unsubscribe();
  await eventually(() => server.source.closed === 1 && server.sockets.size === 0);
  const cut = run(server.http, 'subscription { quiet }');
  await eventually(() => server.source.opened === 2);
  await server.drain();
  await eventually(() => cut.ended instanceof Error);
  expect(String(cut.ended)).toContain('1012 Service Restart');
});
