import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import { KAS } from '../kas/kas.ts';
import { CLUSTER } from '../kubeconfig/context-access.ts';
import { ApiHttp } from './http.ts';

it('uses connections again, until they are not trusted any more; what is under way on them comes to its end', async () => {
  const slow = Promise.withResolvers<void>();
  const used: (number | undefined)[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    used.push(request.socket.remotePort);
    const answer = () => response.setHeader('content-type', 'application/json').end('{}');
    if (request.url === '/slow') void slow.promise.then(answer);
    else answer();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const http = new ApiHttp({ clock: systemClock, peer: KAS });
  const call = (path: string) =>
    http.call({ url: new URL(`http://127.0.0.1:${port}${path}`), headers: {}, what: 'ask' });

  for (let count = 0; new Set(used).size === count && count < 100; count += 1) await call('/');
  expect(new Set(used).size).toBeLessThan(used.length);
  const underWay = call('/slow');
  http.distrustConnections();
  const before = new Set(used);
  await call('/');
  expect(before).not.toContain(used.at(-1));
  slow.resolve();
  expect(await underWay).toEqual({});
  await http.close();
  server.close();
});

describe('a 401', () => {
  const OWN = { 'Gitlab-Unauthorized': 'true' };
  const PASSED_ON = { ...OWN, Via: 'HTTP/1.1 gitlab-agent-server/v17.0.0' };
  const cases = [
    ["that KAS says itself is GitLab's", KAS, OWN, 'gitlabUnauthorized'],
    ["that KAS has passed on is the cluster's, whatever it says", KAS, PASSED_ON, 'unauthorized'],
    ["of a cluster without KAS is the cluster's, whatever it says", CLUSTER, OWN, 'unauthorized'],
    ["without the header is the cluster's", KAS, {}, 'unauthorized'],
  ] as const;

  it.each(cases)('%s', async (_, peer, headers, failure) => {
    const body = JSON.stringify({ kind: 'Status', message: 'GitLab Agent Server: Unauthorized', code: 401 });
    const server = createServer((_request, response) => response.writeHead(401, headers).end(body));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const http = new ApiHttp({ clock: systemClock, peer });
    const options = { url: new URL(`http://127.0.0.1:${port}/`), headers: {}, what: 'ask' };
    const { signal } = new AbortController();
    await expect(http.call(options)).rejects.toMatchObject({ failure });
    await expect(http.list(options, signal)).rejects.toMatchObject({ failure });
    await expect(http.open(options, signal)).rejects.toMatchObject({ failure });
    await http.close();
    server.close();
  });
});
