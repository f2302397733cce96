import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { readConfig } from '../../src/config.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import { eventually } from '../support/eventually.ts';
import { hasCurl } from '../support/has-curl.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** Each program of examples/clients, run as its README says. */

const EXAMPLES = fileURLToPath(new URL('../../examples/clients/', import.meta.url));
const WITHIN_MS = 15_000;

let whole: WholeServer;
/** Of its own, so that it can be restarted. */
let server: RunningServer;
let port = '0';
const running: ChildProcess[] = [];

async function startServerAgain(): Promise<void> {
  server = await startServer(
    readConfig({ KAS_URL: whole.kas.url, PORT: port, DRAIN_SECONDS: '0', LOG_LEVEL: 'silent' }),
  );
  port = new URL(server.url).port;
}

beforeAll(async () => {
  whole = await WholeServer.start();
  await startServerAgain();
});

afterAll(async () => {
  for (const child of running) child.kill();
  await server.stop();
  await whole.stop();
});

function run(program: string, args: string[], namespace: string, url?: string) {
  const child = spawn(program, args, {
    cwd: EXAMPLES,
    env: {
      ...process.env,
      KASCADE_URL: url ?? `${server.url}/graphql`,
      KASCADE_TOKEN: tokenOf('ada'),
      KASCADE_NAMESPACE: namespace,
    },
  });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  return { text: () => output, lines: () => output.trim().split('\n') };
}

function pod(name: string, namespace: string): void {
  whole.store.create(makePod({ name, namespace }));
}

const PROGRAMS = ['graphql-ws', 'sse', 'apollo', 'urql'];

/** Runs a program until it has shown a first pod. */
async function runUntilShown(name: string, namespace: string, url?: string) {
  pod('first', namespace);
  const example = run(process.execPath, [`${name}.ts`], namespace, url);
  const shows = (what: string, line: string) =>
    eventually(`${name}: ${what}`, () => example.lines().at(-1) === line, WITHIN_MS, example.text);
  await shows('the snapshot', 'first=Running');
  return { namespace, shows };
}

it('examples/clients/*.ts print a list that is live, and come back after a restart of the server', async () => {
  const examples = await Promise.all(PROGRAMS.map((name) => runUntilShown(name, `example-${name}`)));
  for (const { namespace } of examples) pod('second', namespace);
  for (const { shows } of examples) await shows('the change', 'first=Running second=Running');
  for (const { namespace } of examples) whole.store.delete('pods', namespace, 'first');
  for (const { shows } of examples) await shows('the removal', 'second=Running');
  await server.stop();
  for (const { namespace } of examples) pod('third', namespace);
  await startServerAgain();
  for (const { shows } of examples) await shows('coming back', 'second=Running third=Running');
  expect(running.map(({ exitCode }) => exitCode)).toEqual(PROGRAMS.map(() => null)); // all still run
}, 60_000);

describe('examples/clients/*.ts, when the connection is cut', () => {
  it.concurrent.each(['graphql-ws', 'apollo', 'urql'])(
    '%s.ts asks only for what it missed',
    async (name) => {
      const proxy = await CuttingProxy.start(`${server.url.replace('http', 'ws')}/graphql`);
      const { namespace, shows } = await runUntilShown(name, `cut-${name}`, proxy.url);
      proxy.cut();
      pod('second', namespace);
      await shows('the change', 'first=Running second=Running');
      expect(proxy.subscribed.map(({ variables }) => typeof variables['resume'])).toEqual(['undefined', 'string']);
      expect(proxy.answered.map(({ type }) => type)).toEqual(['SNAPSHOT', 'CHANGES']);
      proxy.close();
    },
    60_000,
  );
});

it.skipIf(!hasCurl('examples/clients/curl.sh'))('examples/clients/curl.sh prints every update', async () => {
  pod('first', 'example-curl');
  const { text } = run('sh', ['curl.sh'], 'example-curl');
  await eventually('the snapshot', () => text().includes('"type":"SNAPSHOT"'), WITHIN_MS, text);
  pod('second', 'example-curl');
  await eventually('the change', () => text().includes('"type":"CHANGES"'), WITHIN_MS, text);
  const updates = [...text().matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json ?? '') as unknown);
  expect(updates).toMatchObject([
    { data: { k8sPods: { total: 1, upserted: [{ metadata: { name: 'first' } }] } } },
    { data: { k8sPods: { total: 2, upserted: [{ metadata: { name: 'second' } }] } } },
  ]);
});
