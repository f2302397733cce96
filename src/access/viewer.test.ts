import { expect, it, vi } from 'vitest';
import type { Credentials } from '../sources/credentials.ts';

const TOKEN: Credentials = { kind: 'bearer', agentId: '7', tokenType: 'pat', token: 'glpat-one' };
const SESSION: Credentials = { kind: 'cookie', cookie: '_gitlab_kas=one', csrfToken: 'page-1' };

/** The module as another process has it: with a key of its own. */
async function inAnotherProcess() {
  vi.resetModules();
  return import('./viewer.ts');
}

it.each([TOKEN, SESSION])(
  'is the same owner to every replica, and another digest in every log: %o',
  async (credentials) => {
    const [one, two] = [await inAnotherProcess(), await inAnotherProcess()].map(
      ({ Viewer }) => new Viewer(credentials),
    );
    expect(one?.owner).toBe(two?.owner);
    expect(one?.id).not.toBe(two?.id);
  },
);

it('is the same owner however the credentials are wrapped, and says nothing of them', async () => {
  const { ownerOf } = await inAnotherProcess();
  expect(ownerOf({ ...TOKEN, agentId: undefined })).toBe(ownerOf(TOKEN));
  expect(ownerOf({ ...SESSION, csrfToken: 'page-2' })).toBe(ownerOf(SESSION));
  expect(ownerOf({ ...TOKEN, token: 'glpat-two' })).not.toBe(ownerOf(TOKEN));
  expect(ownerOf(TOKEN)).not.toContain('glpat-one');
});
