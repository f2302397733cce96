import { describe, expect, it } from 'vitest';
import { ApiError } from '../errors.ts';
import { Latest } from './latest.ts';

const ERROR = new ApiError('ACCESS_REVOKED', 'No longer.');
const DONE = { done: true, value: undefined };

describe('Latest', () => {
  it('gives the newest of the values that were not taken, once', async () => {
    const { latest } = made();
    for (const value of [1, 2, 3]) latest.offer(value);
    expect(await latest.next()).toEqual({ done: false, value: 3 });
    const next = latest.next();
    latest.offer(4);
    latest.offer(5);
    expect(await next).toEqual({ done: false, value: 4 });
    expect(await latest.next()).toEqual({ done: false, value: 5 });
  });

  it('settles a pending next() at once on return(), and lets go once', async () => {
    const { latest, released } = made();
    const next = latest.next();
    expect(await latest.return()).toEqual(DONE);
    expect(await next).toEqual(DONE);
    await latest.return();
    latest.fail(ERROR);
    latest.offer(1);
    expect(await latest.next()).toEqual(DONE);
    expect(released()).toBe(1);
  });

  it('drops what was not taken on fail(), throws once, and lets go once', async () => {
    const { latest, released } = made();
    latest.offer(1);
    latest.fail(ERROR);
    latest.fail(new ApiError('LIMIT_EXCEEDED', 'Another.'));
    await expect(latest.next()).rejects.toBe(ERROR);
    expect(await latest.next()).toEqual(DONE);
    expect(released()).toBe(1);
  });

  it('rejects a pending next() on fail()', async () => {
    const { latest } = made();
    const next = latest.next();
    latest.fail(ERROR);
    await expect(next).rejects.toBe(ERROR);
    expect(await latest.next()).toEqual(DONE);
  });

  it('throws nothing any more after return()', async () => {
    const { latest } = made();
    latest.fail(ERROR);
    await latest.return();
    expect(await latest.next()).toEqual(DONE);
  });

  it('refuses a second next() before the first has settled, and keeps the first', async () => {
    const { latest } = made();
    const first = latest.next();
    await expect(latest.next()).rejects.toThrow('before the last one settled');
    latest.offer(1);
    expect(await first).toEqual({ done: false, value: 1 });
  });

  it('can be iterated', async () => {
    const { latest } = made();
    const seen: number[] = [];
    latest.offer(1);
    for await (const value of latest) {
      seen.push(value);
      if (value === 3) break;
      latest.offer(value + 1);
    }
    expect(seen).toEqual([1, 2, 3]);
  });
});

function made() {
  let count = 0;
  const latest = new Latest<number>(() => (count += 1));
  return { latest, released: () => count };
}
