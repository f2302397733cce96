import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { base64, Files, kubeconfig } from './files.ts';
import { LocalServer } from './local-server.ts';
import { SecureApi } from './secure-api.ts';

/** Whoever reaches the server may do what the kubeconfig may: so pages of other sites must not reach it. */

const PODS = { query: '{ k8sPods(agentId: "one", namespace: "shop") { totalCount } }' };
const DELETE = 'mutation { deleteK8sPod(agentId: "one", namespace: "shop", name: "target") { name } }';

let api: SecureApi;
let files: Files;
let local: LocalServer;
let port: string;

beforeAll(async () => {
  api = await SecureApi.start();
  files = await Files.make();
  api.allow('Bearer abc', 'user:token');
  for (const name of ['target', 'other'])
    api.api.store.create(makePod({ name, namespace: name === 'other' ? 'else' : 'shop' }));
  const cluster = { server: api.url, 'certificate-authority-data': base64(api.serverCertificate) };
  local = await LocalServer.start(
    await files.write('config', kubeconfig([{ name: 'one', cluster, user: { token: 'abc' } }])),
  );
  port = new URL(local.url).port;
});

afterAll(async () => {
  for (const each of [local, files, api]) await each[Symbol.asyncDispose]();
});

/** A deletion would be seen at once in the object, which goes a moment later. */
function isUntouched(): boolean {
  const target = api.api.store.get('pods', 'shop', 'target');
  return target !== undefined && target.metadata.deletionTimestamp === undefined;
}

const answered = { status: 200, body: '{"data":{"k8sPods":{"totalCount":1}}}' };

describe('the host that a request was sent to', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]', 'LOCALHOST'])('may be %s', async (name) => {
    const host = `${name}:${port}`;
    expect(await local.send({ host }, PODS)).toEqual(answered);
    expect(await local.send({ host, origin: `http://${host}` }, PODS)).toEqual(answered);
    expect(await local.upgrade({ host })).toBe(101);
  });

  it.each([
    'evil.example.com',
    'localhost.evil.example.com',
    '127.0.0.1.evil.example.com',
    '127.0.0.1@evil.example.com',
    'kubernetes',
    '192.168.1.5',
    '0.0.0.0',
    '[::]',
  ])('must not be "%s", whatever the origin (DNS rebinding)', async (name) => {
    const host = `${name}:${port}`;
    const refused = { status: 403, body: expect.stringContaining('KUBECONFIG_SOURCE') as string };
    for (const origin of [{}, { origin: `http://${host}` }, { origin: `http://127.0.0.1:${port}` }]) {
      expect(await local.send({ host, ...origin }, PODS)).toEqual(refused);
      expect(await local.upgrade({ host, ...origin })).toBe(403);
    }
    const query = `?query=${encodeURIComponent(PODS.query)}`;
    const events = await local.send({ host, accept: 'text/event-stream' }, undefined, `/graphql${query}`);
    expect(events.status).toBe(403);
    for (const path of ['/graphql', '/metrics', '/healthz', '/readyz']) {
      expect((await local.send({ host, accept: 'text/html' }, undefined, path)).status).toBe(403);
    }
  });
});

it('a request that names no host is refused', async () => {
  const tcp = connect(Number(port), '127.0.0.1');
  tcp.write('GET /healthz HTTP/1.0\r\n\r\n');
  expect(await text(tcp)).toMatch(/^HTTP\/1\.1 403 /);
});

describe('a page of another origin', () => {
  it.each(['http://evil.example.com', 'http://localhost:1', 'https://127.0.0.1', 'null', 'file://'])(
    '(%s) gets nothing, over HTTP or WebSocket',
    async (origin) => {
      expect((await local.send({ origin }, PODS)).status).toBe(403);
      expect(await local.upgrade({ origin })).toBe(403);
    },
  );

  it('cannot have a form sent: only JSON is taken', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain']) {
      const { status } = await local.send({ 'content-type': type }, JSON.stringify({ query: DELETE }));
      expect(status).toBe(415);
    }
    expect(isUntouched()).toBe(true);
  });

  it('cannot change anything with GET, which browsers send without an origin', async () => {
    const path = `/graphql?query=${encodeURIComponent(DELETE)}`;
    for (const accept of ['*/*', 'application/json', 'text/html', 'text/event-stream']) {
      await local.send({ accept }, undefined, path);
    }
    expect(isUntouched()).toBe(true);
    // The same, sent as it should be, is done.
    expect(await local.send({}, { query: DELETE.replace('target', 'other').replace('shop', 'else') })).toMatchObject({
      status: 200,
    });
    expect(api.api.store.get('pods', 'else', 'other')?.metadata.deletionTimestamp).toBeDefined();
  });

  it('may be named in ALLOWED_ORIGINS, and still must ask a loopback address', async () => {
    const origin = 'http://dashboard.example.com';
    await using other = await LocalServer.start(files.path('config'), { ALLOWED_ORIGINS: origin });
    expect(await other.send({ origin }, PODS)).toEqual(answered);
    expect((await other.send({ origin, host: 'dashboard.example.com' }, PODS)).status).toBe(403);
  });
});

it('GraphiQL is there, and what it sends is answered', async () => {
  const page = await local.send({ accept: 'text/html' });
  expect(page.status).toBe(200);
  expect(page.body.includes('<title>Kascade</title>')).toBe(true);
  const origin = new URL(local.url).origin;
  expect(await local.send({ origin, accept: 'application/json' }, PODS)).toEqual(answered);
  expect(await local.upgrade({ origin })).toBe(101);
});

it('credentials that somebody sends are not looked at: everybody is the same viewer', async () => {
  for (const headers of [
    { authorization: 'Bearer unknown' },
    { authorization: 'Basic x y' },
    { cookie: '_gitlab_kas=x' },
  ])
    expect(await local.send(headers, PODS)).toEqual(answered);
  expect(api.seen.every(({ authorization }) => authorization === 'Bearer abc')).toBe(true);
});
