import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { systemClock } from '../../clock.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { KAS } from '../kas/kas.ts';
import { UpstreamError } from '../upstream-error.ts';
import { ApiCaller } from './caller.ts';
import { ApiClient } from './client.ts';
import { ApiHttp } from './http.ts';
import { NOT_READY_HOLDS_MS, STARTING_MS, StartingClusters } from './starting-clusters.ts';

const TARGET = { agentId: '7', namespace: 'shop', resource: PODS };
const RBAC_SAYS = 'pods "web" is forbidden: User "ada" cannot patch resource "pods"';

/** An API server that allows everything or forbids everything, and a caller of it. */
async function apiServer() {
  const state = { isReady: true, isForbidding: false, message: RBAC_SAYS };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (request.url === '/readyz') {
      response.writeHead(state.isReady ? 200 : 403).end();
      return;
    }
    const isReview = request.url?.endsWith('/selfsubjectaccessreviews') === true;
    response.setHeader('content-type', 'application/json');
    response.writeHead(state.isForbidding && !isReview ? 403 : 200);
    if (isReview) response.end(JSON.stringify({ status: { allowed: !state.isForbidding } }));
    else response.end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: state.message }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const clock = new VirtualClock();
  const http = new ApiHttp({ clock: systemClock, peer: KAS });
  onTestFinished(async () => {
    await http.close();
    server.close();
  });
  const client = new ApiClient({
    agentId: '7',
    peer: KAS,
    starting: new StartingClusters(clock),
    endpoint: () => ({ http, base: new URL(`http://127.0.0.1:${port}`), headers: { authorization: 'Bearer mine' } }),
  });
  const caller = new ApiCaller(client, '7');
  return { state, asked, clock, caller };
}

type Server = Awaited<ReturnType<typeof apiServer>>;

const review = async ({ caller }: Server) =>
  outcome(caller.review({ group: '', resource: 'pods', verb: 'list', namespace: 'shop' }).then(String));
const patch = async ({ caller }: Server) => outcome(caller.actions.patch(TARGET, 'web', {}).then(String));

/** How it was refused, and where. */
async function outcome(answer: Promise<string>): Promise<string> {
  return answer.catch((error: unknown) =>
    error instanceof UpstreamError ? `${error.code} ${error.hop}` : String(error),
  );
}

/** It was ready, has let somebody look, and now begins anew, which has been noticed. */
async function starting(): Promise<Server> {
  const server = await apiServer();
  const { state, asked, clock } = server;
  await review(server);
  await eventually('it was asked', () => asked.includes('GET /readyz Bearer mine'), 2_000);
  state.isReady = false;
  state.isForbidding = true;
  for (let tries = 0; tries < 100 && (await review(server)) !== 'AGENT_UNREACHABLE cluster'; tries += 1) {
    await clock.advance(NOT_READY_HOLDS_MS);
  }
  asked.length = 0;
  return server;
}

it('a change that a starting server forbids was not done for now, and is not sent again', async () => {
  const server = await starting();
  expect(await patch(server)).toBe('AGENT_UNREACHABLE cluster');
  server.state.isReady = true;
  await server.clock.advance(NOT_READY_HOLDS_MS);
  expect(await patch(server)).toBe('FORBIDDEN cluster');
  expect(server.asked.filter((request) => request.startsWith('PATCH'))).toHaveLength(2);
});

it('a "no" of a starting server is no answer, and never a yes', async () => {
  const server = await starting();
  expect(await review(server)).toBe('AGENT_UNREACHABLE cluster');
  await server.clock.advance(STARTING_MS);
  expect(
    await outcome(server.caller.mayList({ group: '', resource: 'pods', verb: 'list', namespace: 'shop' }).then(String)),
  ).toBe('false');
});

it("KAS's own refusals count at once", async () => {
  const server = await starting();
  server.state.message = 'GitLab Agent Server: Forbidden: agentId is not allowed. Trace ID: 1';
  expect(await patch(server)).toBe('FORBIDDEN kas');
});
