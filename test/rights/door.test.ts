import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { codes, LIVE_PODS, RightsServer, type Answer } from './rights-server.ts';

/** The door of a whole server: who is let in to ask, and row K6: hostile sockets. */

const GITLAB = 'https://gitlab.example.com';
const COUNT = '{ k8sPods(agentId: "1", namespace: "shop") { totalCount } }';

let whole: RightsServer;
/** Sends a byte now and then, and never gets to the end of its headers. */
let slow: Socket | undefined;
let slowCutAfterMs: Promise<number> | undefined;
beforeAll(async () => {
  whole = await RightsServer.start({
    env: { ALLOWED_ORIGINS: GITLAB, BASE_PATH: '/-/kubernetes-agent/k8s-proxy', MAX_DEPTH: '6' },
  });
  slowCutAfterMs = trickle();
});
afterAll(async () => {
  slow?.destroy();
  await whole[Symbol.asyncDispose]();
});

function cookies() {
  const { cookie, csrf } = whole.kas.user('ada');
  return { cookie: `other=1; _gitlab_kas=${cookie}; last=2`, 'x-csrf-token': csrf };
}

function withoutToken() {
  return { cookie: `_gitlab_kas=${whole.kas.user('ada').cookie}` };
}

async function trickle(): Promise<number> {
  const tcp = connect(whole.port, '127.0.0.1');
  slow = tcp;
  const at = performance.now();
  const ended = new Promise((resolve) => {
    tcp.once('close', resolve);
  });
  tcp.on('error', () => undefined).resume();
  tcp.write('POST /graphql HTTP/1.1\r\nHost: x\r\n');
  const drip = setInterval(() => tcp.write('X'), 500);
  await ended;
  clearInterval(drip);
  return performance.now() - at;
}

function upgrade(path: string, headers: string): Promise<string> {
  const always = `Host: 127.0.0.1:${whole.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`;
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n';
  return whole.wire(`GET ${path} HTTP/1.1\r\n${always}${key}${headers}\r\n`);
}

describe('pages of other origins', () => {
  const others = [`${GITLAB}.evil.com`, 'http://gitlab.example.com', `${GITLAB}:444`, 'null', 'https://evil.com'];

  it.each(others)('%s gets in by no way: request, event stream, preflight or upgrade', async (origin) => {
    const headers = { ...cookies(), origin };
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await whole.post({ query: COUNT }, { ...headers, accept });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
    const preflight = await fetch(whole.url, { method: 'OPTIONS', headers: { origin } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const path = new URL(whole.url).pathname;
    expect(await upgrade(path, `Origin: ${origin}\r\nCookie: ${headers.cookie}\r\n`)).toMatch(/^HTTP\/1.1 403/);
  });

  it('of an allowed one are served, with the credentials of their user', async () => {
    const answer = await whole.post({ query: COUNT }, { ...cookies(), origin: GITLAB });
    expect(answer.headers.get('access-control-allow-origin')).toBe(GITLAB);
    expect(await answer.json()).toEqual({ data: { k8sPods: { totalCount: 0 } } });
  });
});

describe('a cookie alone is no proof', () => {
  it('for a request, an event stream, or a connection', async () => {
    const posted = (await (await whole.post({ query: COUNT }, withoutToken())).json()) as Answer;
    expect(codes(posted)).toEqual(['UNAUTHENTICATED']);
    const accept = 'text/event-stream';
    const streamed = await whole.post({ query: LIVE_PODS }, { ...withoutToken(), accept });
    expect(await streamed.text()).toContain('UNAUTHENTICATED');
    const got = await fetch(`${whole.url}?query=${encodeURIComponent(LIVE_PODS)}`, {
      headers: { ...withoutToken(), accept },
    });
    expect(await got.text()).toContain('UNAUTHENTICATED');
    const raw = await whole.raw('ada', { headers: withoutToken(), init: { Authorization: undefined } });
    raw.send({ id: '1', type: 'subscribe', payload: { query: COUNT } });
    await eventually('an answer', () => raw.messages.length > 1, 3_000);
    expect(JSON.stringify(raw.messages[1])).toContain('UNAUTHENTICATED');
  });

  it('and a wrong token is no token: GitLab refuses it', async () => {
    const headers = { ...cookies(), 'x-csrf-token': 'guessed' };
    expect(codes((await (await whole.post({ query: COUNT }, headers)).json()) as Answer)).toEqual([
      'GITLAB_UNAUTHORIZED',
    ]);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
  ])('and what a form can send (%s) is not read', async (type) => {
    const answer = await whole.post({ query: COUNT }, { ...cookies(), 'content-type': type });
    expect(answer.status).toBe(415);
  });

  it('and GET changes nothing', async () => {
    const query = 'mutation { reconnectToCluster(agentId: "1") { status } }';
    for (const accept of ['text/event-stream', 'application/json']) {
      const answer = await fetch(`${whole.url}?query=${encodeURIComponent(query)}`, {
        headers: { ...cookies(), accept },
      });
      expect(await answer.text()).not.toContain('IDLE');
    }
    expect(whole.audit.filter(({ event }) => event === 'mutate')).toEqual([]);
  });
});

it('serves nothing outside of its base path, and every answer has the security headers', async () => {
  const root = `http://127.0.0.1:${whole.port}`;
  for (const path of [
    '/graphql',
    '/healthz',
    '/-/kubernetes-agent/graphql',
    '/-/kubernetes-agent/k8s-proxy/api/v1/pods',
  ]) {
    expect((await fetch(root + path)).status).toBe(404);
  }
  for (const path of ['/nothing', '/-/kubernetes-agent/k8s-proxy/healthz']) {
    const { headers } = await fetch(root + path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});

it('does not forward what a client must not be able to say to KAS', async () => {
  const headers = {
    authorization: `Bearer ${whole.token('ada')}`,
    origin: GITLAB,
    'impersonate-user': 'system:admin',
    'impersonate-group': 'system:masters',
    'gitlab-agent-id': '2',
    'x-forwarded-for': '1.2.3.4',
    via: 'x',
  };
  expect((await whole.post({ query: COUNT }, headers)).status).toBe(200);
  const sent = new Set(whole.kas.requests.flatMap((request) => request.headers));
  for (const name of ['origin', 'impersonate-user', 'impersonate-group', 'x-forwarded-for', 'via']) {
    expect(sent).not.toContain(name);
  }
});

describe('K6: hostile sockets', () => {
  it('that do not say who they are within 3 s are closed with 4408', async () => {
    const raw = await whole.raw('ada', { init: false, headers: { origin: GITLAB } });
    const at = performance.now();
    expect((await raw.closed)[0]).toBe(4408);
    expect(performance.now() - at).toBeLessThan(6_000);
  });

  it.each([
    ['a second connection_init', [{ type: 'connection_init' }], 4429],
    ['a message of 1 MB', ['x'.repeat(1_000_000)], 1009],
    ['no JSON', ['{{{'], 4400],
    ['a type that does not exist', [{ type: 'whatever' }], 4400],
    ['an id in use', [1, 2].map(() => ({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } })), 4409],
  ])('%s closes with its code', async (_what, messages, code) => {
    const raw = await whole.raw();
    for (const message of messages) raw.send(message);
    expect((await raw.closed)[0]).toBe(code);
  });

  it('that ask before they said who they are are closed with 4401', async () => {
    const raw = await whole.raw('ada', { init: false });
    raw.send({ id: '1', type: 'subscribe', payload: { query: COUNT } });
    expect((await raw.closed)[0]).toBe(4401);
  });

  const bombs: [string, string, string][] = [
    ['a deep document', '{ k8sPods(agentId: 1) { nodes { metadata { ownerReferences { name } } } } }', 'MAX_DEPTH'],
    ['many aliases', `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ')} }`, 'MAX_ALIASES'],
    ['many fields', `{ ${Array.from({ length: 21 }, () => '__typename').join(' ')} }`, 'MAX_ROOT_FIELDS'],
    ['many tokens', `{ ${'__typename '.repeat(2_001)} }`, 'MAX_TOKENS'],
  ];

  it.each(bombs)(
    '%s is LIMIT_EXCEEDED, on a socket that stays, and over HTTP, and counted',
    async (_what, query, limit) => {
      const raw = await whole.raw();
      raw.send({ id: '1', type: 'subscribe', payload: { query } });
      await eventually('an error', () => raw.messages.some(({ type }) => type === 'error'), 3_000);
      expect(JSON.stringify(raw.messages.at(-1))).toContain(limit);
      const answer = await whole.ask(query);
      expect(codes(answer)).toContain('LIMIT_EXCEEDED');
      expect(raw.socket.readyState).toBe(raw.socket.OPEN);
      expect(whole.counters.value('limits_hit', { limit })).toBeGreaterThanOrEqual(2);
    },
  );

  it('that never get to the end of their headers are cut after 10 to 15 s', async () => {
    expect(await slowCutAfterMs).toBeLessThan(19_000);
  }, 25_000);

  it('harm nobody: the server still answers, and nothing of theirs is left', async () => {
    expect((await whole.ask(COUNT)).data).toEqual({ k8sPods: { totalCount: 0 } });
    await eventually('nothing is left upstream', () => whole.kas.openStreams(1) === 0, 5_000);
    expect(whole.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
