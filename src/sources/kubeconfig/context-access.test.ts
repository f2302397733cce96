import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { ContextAccess, PROOF_DEADLINE_MS, RENEWAL_MS } from './context-access.ts';
import { KubeconfigFile } from './kubeconfig-file.ts';

let directory: string;

beforeEach(async () => {
  const made = await mkdtemp(join(tmpdir(), 'kascade-context-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  directory = made;
});

/** A kubeconfig whose one user has a command: a script with this text. */
async function withCommand(script: string): Promise<string> {
  await writeFile(join(directory, 'command.mjs'), script);
  const exec = { command: process.execPath, args: [join(directory, 'command.mjs')] };
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:9' } }],
    users: [{ name: 'u', user: { exec } }],
    contexts: [{ name: 'slow', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(join(directory, 'config'), JSON.stringify(config));
  return join(directory, 'config');
}

test('a command that does not come to an end holds nobody up for ever, and is used when it does', async () => {
  const path = await withCommand(`import { existsSync } from 'node:fs';
const wait = setInterval(() => {
  if (!existsSync(new URL('go', import.meta.url))) return;
  clearInterval(wait);
  process.stdout.write(JSON.stringify({ status: { token: 'late' } }));
}, 5);
`);
  const clock = new VirtualClock();
  const access = new ContextAccess('slow', await KubeconfigFile.open(path, () => undefined), { clock });
  onTestFinished(() => access.close());
  const refusal = access.endpoint().catch((error: unknown) => error);
  await vi.waitUntil(() => clock.pending > 0);
  await clock.advance(PROOF_DEADLINE_MS);
  expect(String(await refusal)).toContain('could not be had (not within 25 s)');
  await writeFile(join(directory, 'go'), '');
  await clock.advance(RENEWAL_MS);
  const { headers } = await access.endpoint();
  expect(headers).toEqual({ authorization: 'Bearer late' });
});

test('~ is the home directory', async () => {
  await withCommand('');
  vi.stubEnv('HOME', directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  const file = await KubeconfigFile.open('~/config', () => undefined);
  expect((await file.all()).map(({ name }) => name)).toEqual(['slow']);
});
