import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { grant, makePod } from '../../demo/apiserver/objects.ts';
import { startKas, type Kas } from '../../demo/kas/index.ts';
import { eventually } from '../support/eventually.ts';
import { Replica } from '../support/processes/replica.ts';

/** A server that is told to stop while it owes answers. */

const WITHIN_MS = 10_000;
const AUTHORIZATION = { Authorization: 'Bearer glpat-ada' };
const DELETE = 'mutation ($name: String!) { deleteK8sPod(agentId: "1", namespace: "shop", name: $name) { name } }';

let kas: Kas;

beforeEach(async () => {
  kas = await startKas();
  const { store } = kas.agent(1).api;
  kas.user('ada', { token: 'glpat-ada' });
  grant(store, 'ada', '', ['*'], ['*']);
  for (const name of ['by-http', 'by-socket']) store.create(makePod({ name, namespace: 'shop' }));
});

afterEach(() => kas.close());

/** What the cluster does with deletions, until it is told to go on. */
function holdDeletions() {
  const hold = kas.agent(1).api.faults.add({ match: { verb: 'delete' }, effect: { delayHeadersMs: 2_500 } });
  return { areHeld: (count: number) => hold.hits === count };
}

function post(server: Replica, query: string, variables = {}): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...AUTHORIZATION },
    body: JSON.stringify({ query, variables }),
  });
}

it('answers what it owes, over HTTP and on a socket, and does it once; meanwhile it is not ready', async () => {
  await using server = await Replica.start({ kasUrl: kas.url, env: { DRAIN_SECONDS: '1' } });
  const deletions = holdDeletions();
  const client = createClient({
    url: server.webSocketUrl,
    webSocketImpl: WebSocket,
    connectionParams: AUTHORIZATION,
    retryAttempts: 0,
  });
  const bySocket = client.iterate({ query: DELETE, variables: { name: 'by-socket' } }).next();
  const byHttp = post(server, DELETE, { name: 'by-http' });
  await eventually('two deletions under way', () => deletions.areHeld(2), WITHIN_MS);

  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  server.signal('SIGTERM');
  const readiness = await untilNotReady(server);
  expect(await readiness.json()).toEqual({ status: 'not ready', reasons: ['The server is stopping.'], notes: [] });
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  const refused = await post(server, '{ __typename }');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);

  expect(await (await byHttp).json()).toEqual({ data: { deleteK8sPod: { name: 'by-http' } } });
  expect((await bySocket).value).toEqual({ data: { deleteK8sPod: { name: 'by-socket' } } });
  expect(await server.exited).toBe('exit 0');
  expect(kas.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
  await client.dispose();
});

async function untilNotReady(server: Replica): Promise<Response> {
  for (;;) {
    const answer = await fetch(`${server.url}/readyz`);
    if (answer.status !== 200) return answer;
  }
}

it('ends at once when it is told a second time', async () => {
  kas.agent(1).api.faults.add({ match: { verb: 'delete' }, effect: { blackHole: true } });
  await using server = await Replica.start({ kasUrl: kas.url });
  const answer = post(server, DELETE, { name: 'by-http' }).catch((error: unknown) => error);
  await eventually('the deletion', () => kas.requests.some(({ method }) => method === 'DELETE'), WITHIN_MS);
  server.signal('SIGTERM');
  await untilNotReady(server);
  const impatient = setInterval(() => server.signal('SIGINT'), 100);
  expect(await server.exited).toBe('exit 1');
  clearInterval(impatient);
  expect(await answer).toBeInstanceOf(Error);
});

it('does not wait for ever for an answer: after DRAIN_SECONDS and MAX_REQUEST_SECONDS it ends with 0', async () => {
  kas.agent(1).api.faults.add({ match: { verb: 'delete' }, effect: { blackHole: true } });
  await using server = await Replica.start({ kasUrl: kas.url, env: { DRAIN_SECONDS: '0', MAX_REQUEST_SECONDS: '1' } });
  const answer = post(server, DELETE, { name: 'by-http' });
  await eventually('the deletion', () => kas.requests.some(({ method }) => method === 'DELETE'), WITHIN_MS);
  server.signal('SIGTERM');
  expect(await (await answer).json()).toMatchObject({ errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] });
  expect(await server.exited).toBe('exit 0');
});
