import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from './config.ts';
import { startServer } from './server.ts';

const KAS_URL = 'http://127.0.0.1:9/k8s-proxy';

function start(env: Record<string, string>) {
  return spawn(process.execPath, [fileURLToPath(new URL('server.ts', import.meta.url))], { env, stdio: 'pipe' });
}

async function urlOf(service: ReturnType<typeof start>): Promise<string> {
  for await (const line of createInterface({ input: service.stdout })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) return url;
  }
  throw new Error('It ended before it listened.');
}

test('a bad environment ends it with 1 and a message that names the variable', async () => {
  const service = start({ KAS_URL, PORT: 'four thousand' });
  const [message, [code]] = await Promise.all([text(service.stderr), once(service, 'exit')]);
  expect(message).toBe('Kascade cannot start:\n  PORT must be a whole number from 0 to 65535.\n');
  expect(code).toBe(1);
});

test('a port that is taken ends it with 1', async () => {
  const first = await startServer(readConfig({ KAS_URL, PORT: '0', LOG_LEVEL: 'silent' }));
  const service = start({ KAS_URL, PORT: new URL(first.url).port });
  const [message, [code]] = await Promise.all([text(service.stderr), once(service, 'exit')]);
  expect(message).toContain('EADDRINUSE');
  expect(code).toBe(1);
  await first.stop();
});

test('SIGTERM sends clients away so that they come back, and ends it with 0', async () => {
  const service = start({ KAS_URL, PORT: '0', BASE_PATH: '/k' });
  const url = await urlOf(service);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const exited = once(service, 'exit');
  // Ctrl-C below `npm start`: the terminal tells both, and npm passes on what it was told.
  service.kill('SIGTERM');
  service.kill('SIGINT');
  expect((await once(socket, 'close'))[0]).toBe(1012);
  expect((await exited)[0]).toBe(0);
});

test('operations without credentials are UNAUTHENTICATED, stopping twice is stopping once', async () => {
  const server = await startServer(readConfig({ KAS_URL, PORT: '0', LOG_LEVEL: 'silent' }));
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ k8sPods(agentId: "1") { totalCount } }' }),
  });
  expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  await Promise.all([server.stop(), server.stop()]);
  await expect(fetch(server.url)).rejects.toThrow('fetch failed');
});
