import { expect, it } from 'vitest';
import { respond } from '../../demo/apiserver/effects.ts';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { LIVE_PODS, RightsServer } from './rights-server.ts';

/**
 * Secrets are put everywhere where there are some, and everything that comes out is searched for them: every line of
 * the log at its most talkative, every answer that is an error, every URL that KAS saw, every counter. Only who may
 * see a pod may see what is in it.
 */

const CANARY = /canary/i;
const POD_SECRET = 'canary-env-value-4711';
const PODS = '{ k8sPods(agentId: "1", namespace: "shop") { nodes { spec } } }';

it('no secret is in any log line, error, counter or URL', async () => {
  await using whole = await RightsServer.start({ env: { ACCESS_ALLOW_SECONDS: '1' } });
  const { api } = whole.kas.agent(1);
  whole.kas.user('ada', { token: 'glpat-canary-token-ada', cookie: 'canary-cookie-ada', csrf: 'canary-csrf-ada' });
  whole.kas.user('eve', { token: 'canarytokenofeve1234', cookie: 'canary-cookie-eve', csrf: 'canary-csrf-eve' });
  const pod = makePod({ name: 'p', namespace: 'shop', annotations: { vault: 'canary-annotation' } });
  const [container] = (pod['spec'] as { containers: object[] }).containers;
  Object.assign(container ?? {}, { env: [{ name: 'PASSWORD', value: POD_SECRET }] });
  whole.store.create(pod);

  const errors: string[] = [];
  const post = async (body: unknown, headers: Record<string, string>) => {
    const response = await whole.post(body, headers);
    const text = `${JSON.stringify([...response.headers])} ${await response.text()}`;
    if (/"errors"/.test(text)) errors.push(text);
    return text;
  };
  const bearer = { authorization: `Bearer ${whole.token('ada')}` };
  const session = { cookie: '_gitlab_kas=canary-cookie-ada; x=canary-other-cookie', 'x-csrf-token': 'canary-csrf-ada' };

  // What may be seen is seen.
  expect(await post({ query: PODS }, bearer)).toContain(POD_SECRET);
  expect(await post({ query: PODS }, session)).toContain(POD_SECRET);
  const live = await whole.raw('ada');
  live.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
  await eventually('a snapshot', () => live.messages.some(({ type }) => type === 'next'), 5_000);

  // Credentials that are refused, malformed, of somebody else, or in the wrong place.
  const refused: Record<string, string>[] = [
    { authorization: 'Bearer canary-unknown-token' },
    { authorization: 'canary-no-scheme' },
    { authorization: 'Basic Y2FuYXJ5OmNhbmFyeQ==canary' },
    { authorization: 'Bearer pat:2:canary-of-another-agent' },
    { authorization: 'Bearer ci:1:canary-job-token' },
    { authorization: 'Bearer canary two' },
    { cookie: '_gitlab_kas=canary-stolen', 'x-csrf-token': 'canary-guess' },
    { cookie: '_gitlab_kas=%canary%', 'x-csrf-token': 'canary;canary' },
    { cookie: '_gitlab_kas=canary-alone' },
    { authorization: `Bearer ${whole.token('eve')}` },
    { 'x-csrf-token': 'canary', 'private-token': 'canary', 'gitlab-agent-id': 'canary' },
  ];
  for (const headers of refused) await post({ query: PODS }, headers);
  await post(
    { query: 'mutation { deleteK8sPod(agentId: "1", namespace: "shop", name: "p") { id } }' },
    refused[9] ?? {},
  );
  await post('{"query": canary', bearer);
  await whole.wire('GET /canary HTTP/1.1\r\nAuthorization: Bearer canary\r\nHost\r\n\r\n');
  await whole.wire('POST /graphql HTTP/1.1\r\nHost: x\r\nCookie: canary\r\nContent-Length: canary\r\n\r\n');

  const inits: object[] = [
    { Authorization: 'canary-malformed' },
    { Authorization: { canary: 'canary' } },
    { Authorization: 'Bearer canary-unknown', password: 'canary', headers: { cookie: 'canary' } },
    { Authorization: 'Bearer \r\nX: canary' },
  ];
  for (const init of inits) {
    const raw = await whole.raw('eve', { init, headers: { cookie: '_gitlab_kas=canary-upgrade' } });
    if (raw.socket.readyState === raw.socket.OPEN) {
      raw.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
      await eventually('a refusal', () => raw.messages.length > 1, 5_000);
    }
    raw.send('{"type":"subscribe","canary":');
    errors.push(JSON.stringify([raw.messages, await raw.closed]));
  }

  // A cluster and a KAS that answer with secrets, in bodies, headers and streams.
  const canaryBody = respond(500, 'InternalError', 'etcd: password=canary-from-upstream', { canary: 'canary' });
  const match = { resource: 'selfsubjectaccessreviews' };
  for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 502, 503]) {
    const body = `<html>canary-html ${status}</html>`;
    const respondWith = { status, body, contentType: 'text/html', headers: { 'x-canary': 'canary' } };
    for (const faults of [api.faults, whole.kas.faults]) {
      const fault = faults.add({ match: {}, effect: { respond: respondWith } });
      await post({ query: PODS.replace('shop', `s-${status}`) }, session);
      await post({ query: '{ k8sViewer(agentId: "1") { user can(verb: "get", resource: "pods") } }' }, session);
      fault.remove();
    }
  }
  const wrong = api.faults.add({ match, effect: canaryBody });
  await post({ query: PODS.replace('shop', 'other') }, bearer);
  wrong.remove();

  // Who looks on may have been asked about in the middle of that, and be signed out for it.
  errors.push(...live.messages.filter(({ type }) => type === 'error').map((message) => JSON.stringify(message)));
  const still = await whole.raw('ada');
  still.send({ id: '1', type: 'subscribe', payload: { query: LIVE_PODS } });
  await eventually('another snapshot', () => still.messages.some(({ type }) => type === 'next'), 5_000);
  api.faults.add({
    match: { verb: 'watch' },
    times: 2,
    effect: { insert: { raw: 'canary-in-the-stream\n', afterEvents: 0 } },
  });
  const watches = whole.kas.counts({ verb: 'watch' });
  for (const watch of api.faults.openWatches()) watch.end();
  await eventually('it is noticed', () => whole.kas.counts({ verb: 'watch' }) >= watches + 2, 5_000);

  // Signed out in the middle.
  whole.kas.user('ada', { token: 'glpat-canary-renewed' });
  await eventually('the end', () => still.messages.at(-1)?.type === 'error', 10_000);
  errors.push(JSON.stringify(still.messages.at(-1)));

  expect(errors.length).toBeGreaterThan(30);
  for (const text of errors) expect(text).not.toMatch(CANARY);
  expect(whole.lines.length).toBeGreaterThan(20);
  for (const line of whole.lines) expect(line).not.toMatch(CANARY);
  expect(JSON.stringify(whole.counters.entries())).not.toMatch(CANARY);
  for (const { url } of whole.kas.requests) expect(url).not.toMatch(CANARY);
}, 40_000);
