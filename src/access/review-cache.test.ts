import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settled, VirtualClock } from '../../test/support/virtual-clock.ts';
import { GRACE_MS, MAX_REVIEWS, ReviewCache } from './review-cache.ts';

const LIFETIMES = { allowMs: 60_000, denyMs: 10_000 };

describe('ReviewCache', () => {
  it('uses a permission for a minute, more or less, and a denial for ten seconds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), fc.nat({ max: 90_000 }), async (seed, allowed, age) => {
        const { cache, clock } = made(seed);
        cache.set('q', Promise.resolve(allowed));
        await clock.advance(age);
        const answer = await cache.get('q');
        const least = allowed ? 48_000 : 10_000;
        const most = allowed ? 72_000 : 10_000;
        const possible = [...(age < most ? [allowed] : []), ...(age >= least ? [undefined] : [])];
        expect(possible).toContain(answer);
      }),
      { numRuns: 200 },
    );
  });

  it('does not let all permissions run out together', async () => {
    const { cache, clock } = made();
    for (let index = 0; index < 200; index += 1) cache.set(`q${index}`, Promise.resolve(true));
    const left = () => Array.from({ length: 200 }, (_, index) => cache.get(`q${index}`)).filter(Boolean).length;
    await clock.advance(48_000);
    expect(left()).toBe(200);
    await clock.advance(12_000);
    expect(left()).toBeGreaterThan(60);
    expect(left()).toBeLessThan(140);
    await clock.advance(12_000);
    expect(left()).toBe(0);
  });

  it('counts from the question, not from the answer', async () => {
    const { cache, clock } = made();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    cache.set('q', promise);
    await clock.advance(8_000);
    resolve(false);
    await clock.advance(1_999);
    expect(await cache.get('q')).toBe(false);
    await clock.advance(1);
    expect(cache.get('q')).toBeUndefined();
  });

  it('gives the same promise to everybody while the answer is awaited, however long that takes', async () => {
    const { cache, clock } = made();
    const promise = new Promise<boolean>(() => {});
    cache.set('q', promise);
    await clock.advance(3_600_000);
    expect(cache.get('q')).toBe(promise);
  });

  it('does not remember a failure', async () => {
    const { cache } = made();
    const failing = Promise.reject(new Error('away'));
    failing.catch(() => {});
    cache.set('q', failing);
    await settled();
    expect(cache.get('q')).toBeUndefined();
    expect(cache.lastAnswer('q')).toBeUndefined();
  });

  it('knows the last answer for five minutes, also when it may not be used any more, and over a failure', async () => {
    const { cache, clock } = made();
    cache.set('q', Promise.resolve(true));
    await clock.advance(100_000);
    expect(cache.get('q')).toBeUndefined();
    expect(cache.lastAnswer('q')).toBe(true);
    const failing = Promise.reject(new Error('away'));
    failing.catch(() => {});
    cache.set('q', failing);
    await clock.advance(GRACE_MS - 100_001);
    expect(cache.lastAnswer('q')).toBe(true);
    await clock.advance(1);
    expect(cache.lastAnswer('q')).toBeUndefined();
  });

  it('does not take up again what was forgotten while it was awaited', async () => {
    const { cache } = made();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    cache.set('q', promise);
    cache.delete('q');
    resolve(true);
    await settled();
    expect(cache.get('q')).toBeUndefined();
    expect(cache.lastAnswer('q')).toBeUndefined();
  });

  it('keeps the answer to the newer question when the older one comes late', async () => {
    const { cache } = made();
    const older = Promise.withResolvers<boolean>();
    cache.set('q', older.promise);
    cache.delete('q');
    cache.set('q', Promise.resolve(false));
    await settled();
    older.resolve(true);
    await settled();
    expect(await cache.get('q')).toBe(false);
    expect(cache.lastAnswer('q')).toBe(false);
  });

  it('forgets the oldest when there are too many', async () => {
    const { cache } = made();
    const yes = Promise.resolve(true);
    for (let index = 0; index <= MAX_REVIEWS; index += 1) cache.set(`q${index}`, yes);
    await settled();
    expect(cache.get('q0')).toBeUndefined();
    expect(cache.lastAnswer('q0')).toBeUndefined();
    expect(await cache.get('q1')).toBe(true);
    expect(await cache.get(`q${MAX_REVIEWS}`)).toBe(true);
  });
});

function made(seed = 1) {
  const clock = new VirtualClock(seed);
  return { clock, cache: new ReviewCache(clock, LIFETIMES) };
}
