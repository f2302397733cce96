import { expect, it } from 'vitest';
import { pod } from '../../../test/support/objects.ts';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { sleep } from '../../clock.ts';
import { LIST_MS, listAll } from './list.ts';

it('gives up a list whose pages never end, and frees its place', async () => {
  const clock = new VirtualClock();
  let pages = 0;
  const endless = {
    async list() {
      pages += 1;
      await sleep(clock, 1_000);
      return { items: [pod(`p${pages}`)], resourceVersion: '7', continueToken: 'more' };
    },
  };
  const listed = listAll(endless, undefined, clock, new AbortController().signal);
  const outcome = listed.catch((error: unknown) => error);
  await clock.advance(LIST_MS + 1_000);
  expect(await outcome).toMatchObject({ failure: 'timeout', code: 'UPSTREAM_TIMEOUT' });
  await clock.advance(60_000);
  expect(pages).toBeLessThanOrEqual(LIST_MS / 1_000 + 1);
  expect(clock.pending).toBe(0);
});
