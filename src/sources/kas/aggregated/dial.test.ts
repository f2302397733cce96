import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startKas, type Kas } from '../../../../demo/kas/index.ts';
import { systemClock } from '../../../clock.ts';
import { ApiHttp } from '../../apiserver/http.ts';
import { KAS } from '../kas.ts';
import { dial, DialError, socketUrl } from './dial.ts';

it.each([
  ['http://kas.example.com', 'ws://kas.example.com/watch'],
  ['http://127.0.0.1:8154/k8s-proxy', 'ws://127.0.0.1:8154/k8s-proxy/watch'],
  ['https://kas.example.com/-/kubernetes-agent/k8s-proxy/', 'wss://kas.example.com/-/kubernetes-agent/k8s-proxy/watch'],
  ['https://gitlab.example.com:8443/a/b', 'wss://gitlab.example.com:8443/a/b/watch'],
])('%s is dialled as %s', (base, expected) => {
  expect(socketUrl(new URL(base)).href).toBe(expected);
});

describe('dialling', () => {
  let kas: Kas | undefined;
  const http = new ApiHttp({ clock: systemClock, peer: KAS });
  afterEach(async () => {
    await kas?.close();
    kas = undefined;
  });

  async function dialling(prefix = '/k8s-proxy') {
    kas = await startKas({ prefix });
    kas.user('ada');
    const headers = { authorization: `Bearer ${kas.bearer('ada')}` };
    return { kas, options: { http, base: new URL(kas.url), clock: systemClock, headers } };
  }

  it.each([['/k8s-proxy'], ['/-/kubernetes-agent/k8s-proxy'], ['/']])('works below %s', async (prefix) => {
    const { options } = await dialling(prefix);
    const socket = await dial(options, new AbortController().signal);
    expect(socket.protocol).toBe('gitlab-agent-watch-api');
    expect(socket.extensions).toBe('');
    socket.terminate();
  });

  it('sends no credentials where there is a token, and no Origin', async () => {
    const { kas: server, options } = await dialling();
    (await dial(options, new AbortController().signal)).terminate();
    const upgrade = server.requests.find(({ verb }) => verb === 'upgrade');
    expect(upgrade?.headers).toContain('sec-websocket-protocol');
    for (const name of ['authorization', 'cookie', 'origin', 'x-csrf-token'])
      expect(upgrade?.headers).not.toContain(name);
  });

  it('stops when it is told to', async () => {
    const { options } = await dialling();
    const life = new AbortController();
    const socket = dial(options, life.signal);
    life.abort(new Error('enough'));
    await expect(socket).rejects.toThrow('enough');
  });

  it.each([
    ['refuseToken', 401, 'token', 'unauthorized'],
    ['refuseToken', 500, 'token', 'server'],
    ['refuseToken', 429, 'token', 'throttled'],
    ['refuseUpgrade', 401, 'upgrade', 'unauthorized'],
    ['refuseUpgrade', 403, 'upgrade', 'forbidden'],
    ['refuseUpgrade', 404, 'upgrade', 'server'],
    ['refuseUpgrade', 503, 'upgrade', 'unreachable'],
    ['refuseUpgrade', 302, 'upgrade', 'server'],
    ['refuseUpgrade', 200, 'upgrade', 'server'],
  ] as const)('%s with %i is told as such, without a secret', async (fault, status, stage, failure) => {
    const { kas: server, options } = await dialling();
    server.watchApi.faults[fault] = { status, body: {}, headers: { location: 'http://127.0.0.1:9/' } };
    const error = await dial(options, new AbortController().signal).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DialError);
    expect(error).toMatchObject({ stage, reason: { failure, hop: 'kas' } });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(server.user('ada').token);
  });

  it.each([
    ['refuseToken', {}, 'gitlabUnauthorized'],
    ['refuseUpgrade', {}, 'gitlabUnauthorized'],
    ['refuseToken', { via: 'HTTP/1.1 kas' }, 'unauthorized'],
    ['refuseUpgrade', { via: 'HTTP/1.1 kas' }, 'unauthorized'],
  ] as const)("%s with GitLab's 401 and %j more is %s", async (fault, more, failure) => {
    const { kas: server, options } = await dialling();
    server.watchApi.faults[fault] = { status: 401, body: {}, headers: { 'gitlab-unauthorized': 'true', ...more } };
    const dialled = dial(options, new AbortController().signal);
    await expect(dialled).rejects.toMatchObject({ reason: { failure, hop: 'kas' } });
  });

  it('is refused by what is no WebSocket server, or none at all', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"token":"t"}');
    });
    server.on('upgrade', (_request, tcp) =>
      tcp.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const options = { http, base: new URL(`http://127.0.0.1:${port}`), clock: systemClock, headers: {} };
    const { signal } = new AbortController();
    await expect(dial(options, signal)).rejects.toMatchObject({ stage: 'upgrade', reason: { failure: 'server' } });
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    await expect(dial(options, signal)).rejects.toMatchObject({ stage: 'token', reason: { hop: 'kas' } });
  });
});
