import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentialsFromHeaders } from '../../src/access/credentials.ts';
import { ApiError } from '../../src/errors.ts';
import { decodeCursor, encodeCursor } from '../../src/pubsub/cursor.ts';
import { eventually } from '../support/eventually.ts';
import { codes, RightsServer, type Answer } from './rights-server.ts';

/**
 * Whatever a client says, only URLs of a few forms reach KAS. The forms are written here a second time, on purpose: a
 * mistake in the code's own grammar must not excuse itself.
 */

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const NAME = '[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?';
const QUERY = '(\\?[-A-Za-z0-9=&%.]*)?';
const FORMS = [
  `/k8s-proxy/apis/authorization\\.k8s\\.io/v1/selfsubjectaccessreviews`,
  `/k8s-proxy/apis/authentication\\.k8s\\.io/v1/selfsubjectreviews`,
  `/k8s-proxy/api/v1/(namespaces/${LABEL}/)?(pods|services)(/${NAME})?${QUERY}`,
  `/k8s-proxy/api/v1/namespaces${QUERY}`,
  `/k8s-proxy/watch${QUERY}`,
  `/k8s-proxy/readyz`,
].map((form) => new RegExp(`^${form}$`));

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const RUNS = { seed: SEED, numRuns: 300 };

let whole: RightsServer;
beforeAll(async () => {
  console.log(`hostile input: SEED=${SEED}`);
  whole = await RightsServer.start({ env: { MAX_FEEDS_PER_VIEWER: '5', LINGER_SECONDS: '0' } });
});
afterAll(() => whole[Symbol.asyncDispose]());

/** What path traversal, injection and confusion are made of, and anything else. */
const PIECES = [
  '..',
  '.',
  '/',
  '\\',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '%00',
  '\0',
  '\n',
  '\r\n',
  ' ',
  '?',
  '#',
  '&',
  '=',
  '@',
  ':',
  ';',
  'secrets',
  'kube-system',
  'pods',
  'log',
  'exec',
  'watch=true',
  'http://evil',
  '//evil',
  '*',
  'ä',
  '．．',
];
const piece = fc.constantFrom('\u202e', ...PIECES);
const hostile = fc.oneof(
  fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('default', 'kube-system', 'a'.repeat(63), 'a'.repeat(64), 'a.b', '-a', 'a-', 'A', ''),
);
const agent = fc.oneof(hostile, fc.constantFrom('1', '01', '1e3', '-1', '0x1', '99999999999999999999', '1/../2'));

const OPERATIONS = [
  'query ($a: ID!, $n: String) { k8sPods(agentId: $a, namespace: $n) { totalCount } }',
  'query ($a: ID!, $n: String) { k8sConnection(agentId: $a, namespace: $n) { status } }',
  'query ($a: ID!, $n: String!, $x: String!) { k8sPod(agentId: $a, namespace: $n, name: $x) { id } }',
  'query ($a: ID!, $n: String!, $x: String!) { k8sService(agentId: $a, namespace: $n, name: $x) { id } }',
  'query ($a: ID!) { k8sNamespaces(agentId: $a) { id } }',
  'query ($a: ID!, $n: String, $x: String!) { k8sViewer(agentId: $a) { can(verb: $x, resource: $x, group: $x, subresource: $x, namespace: $n, name: $x) } }',
  'mutation ($a: ID!, $n: String!, $x: String!) { deleteK8sPod(agentId: $a, namespace: $n, name: $x, uid: $x) { id } }',
  'mutation ($a: ID!, $n: String, $x: String) { reconnectToCluster(agentId: $a, namespace: $n, resource: $x) { status } }',
  'query ($a: ID!, $n: String, $x: String) { k8sPods(agentId: $a, namespace: $n, after: $x, filter: { labelSelector: $x, fieldSelector: $x, search: $x }) { totalCount } }',
];

function strayUrls(): string[] {
  return whole.kas.requests.map(({ url }) => url).filter((url) => !FORMS.some((form) => form.test(url)));
}

it('no argument makes a URL of another form', async () => {
  whole.allow('eve', 'default'); // may not see most of it: objects by name are then asked for by their path
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...OPERATIONS),
      agent,
      hostile,
      hostile,
      fc.constantFrom('ada', 'eve'),
      async (query, a, n, x, user) => {
        const usual = Math.abs(x.length + n.length) % 3;
        const variables = { a: usual === 0 ? a : '1', n: usual === 1 ? n : 'default', x };
        const answer = await whole.ask(query, variables, user);
        expect(codes(answer)).not.toContain('INTERNAL');
        expect(strayUrls()).toEqual([]);
      },
    ),
    RUNS,
  );
  expect(whole.kas.requests.length).toBeGreaterThan(20);
  const namespaces = new Set(whole.kas.requests.map(({ namespace }) => namespace));
  for (const namespace of namespaces) expect(namespace).toMatch(new RegExp(`^(${LABEL})?$`));
  expect(whole.kas.requests.filter(({ resource }) => ['secrets', 'configmaps'].includes(resource))).toEqual([]);
}, 60_000);

it('no agent ID and no token reaches KAS in another header than its own', async () => {
  const before = whole.kas.requests.length;
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (token, csrf) => {
      const raw = await whole.raw('ada', {
        init: { Authorization: `Bearer ${token}`, 'X-CSRF-Token': csrf, [csrf]: token },
      });
      raw.send({ id: '1', type: 'subscribe', payload: { query: '{ k8sConnection(agentId: "1") { status } }' } });
      await eventually('an answer', () => raw.messages.length > 1 || raw.socket.readyState > 1, 5_000);
      const text = JSON.stringify(raw.messages);
      expect(text).not.toContain('"INTERNAL"');
      expect(text).not.toContain('CONNECTED');
      raw.socket.terminate();
    }),
    { ...RUNS, numRuns: 60 },
  );
  const sent = new Set(whole.kas.requests.slice(before).flatMap(({ headers }) => headers));
  const usual = ['accept', 'accept-encoding', 'authorization', 'connection', 'content-length', 'content-type', 'host'];
  for (const name of sent)
    expect([...usual, 'user-agent', 'traceparent', 'cookie', 'x-csrf-token', 'gitlab-agent-id']).toContain(name);
  expect(strayUrls()).toEqual([]);
}, 60_000);

it('no payload of connection_init, whatever its shape, does more than be refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (payload) => {
      const raw = await whole.raw('ada', { init: false });
      raw.send({ type: 'connection_init', payload });
      raw.send({ id: '1', type: 'subscribe', payload: { query: '{ k8sViewer(agentId: "1") { user } }' } });
      await eventually('an end', () => raw.messages.length > 1 || raw.socket.readyState > 1, 5_000);
      expect(JSON.stringify(raw.messages)).not.toContain('gitlab:user');
      raw.socket.terminate();
    }),
    { ...RUNS, numRuns: 60 },
  );
  expect(whole.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
}, 60_000);

/** What is made of headers: the secrets in them, or the refusal. */
function read(text: string, csrfToken: string, isBearer: boolean): string[] | ApiError {
  try {
    const credentials = credentialsFromHeaders(
      isBearer ? { authorization: `Bearer ${text}` } : { cookie: text, csrfToken },
    );
    if (credentials === undefined) return [];
    return credentials.kind === 'bearer' ? [credentials.token] : [credentials.cookie, credentials.csrfToken];
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

it('cookies and authorization headers of any form are read as tokens without room for anything else, or refused', () => {
  const inCookie = hostile.map((text) => `_gitlab_kas=${text}`);
  const amongCookies = hostile.map((text) => `a=b; _gitlab_kas=${text}; c`);
  fc.assert(
    fc.property(fc.oneof(hostile, inCookie, amongCookies), hostile, fc.boolean(), (text, csrfToken, isBearer) => {
      const result = read(text, csrfToken, isBearer);
      const secrets = result instanceof ApiError ? [] : result;
      const refusal = result instanceof ApiError ? result : undefined;
      expect(secrets.filter((secret) => !/^[\x21-\x3a\x3c-\x7e]+$/.test(secret))).toEqual([]);
      expect(refusal?.code ?? 'UNAUTHENTICATED').toBe('UNAUTHENTICATED');
      expect(text.length > 3 && (refusal?.message.includes(text) ?? false)).toBe(false);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

it('no cursor decodes to anything but what was encoded for that very view', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.base64String()), fc.nat(), (text, offset) => {
      const revision = { epoch: 'abcdefghijkl', offset };
      expect(decodeCursor(encodeCursor(revision, 'view'), 'view')).toEqual(revision);
      expect(decodeCursor(encodeCursor(revision, 'view'), 'other')).toBeUndefined();
      expect(decodeCursor(text, 'view')).toBeUndefined();
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

it('resume cursors of any form are answered by a snapshot, paging cursors refused', async () => {
  const forged = fc.oneof(hostile, fc.base64String({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(forged, async (cursor) => {
      const query =
        'query ($after: String) { k8sPods(agentId: "1", namespace: "default", after: $after) { totalCount } }';
      const answer: Answer = await whole.ask(query, { after: cursor });
      expect(['', 'BAD_USER_INPUT']).toContain(codes(answer).join(','));
    }),
    { ...RUNS, numRuns: 50 },
  );
}, 60_000);
