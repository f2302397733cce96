import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Backoff, BACKOFF_BASE_MS, BACKOFF_CAP_MS, BACKOFF_RESET_MS } from './backoff.ts';

describe('Backoff', () => {
  it('is anything up to a bound that doubles, and never more than the cap', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const backoff = new Backoff(new VirtualClock(seed));
        for (let failures = 0; failures < 12; failures += 1) {
          const wait = backoff.next();
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThan(Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** failures));
        }
      }),
    );
  });

  it('uses the whole of the range', () => {
    const waits = Array.from({ length: 400 }, (_, seed) => {
      const backoff = new Backoff(new VirtualClock(seed * 7_919));
      for (let failures = 0; failures < 8; failures += 1) backoff.next();
      return backoff.next();
    });
    expect(Math.min(...waits)).toBeLessThan(1_000);
    expect(Math.max(...waits)).toBeGreaterThan(29_000);
  });

  it('is never less than what the server asks for, even beyond the cap', () => {
    const backoff = new Backoff(new VirtualClock());
    for (const floor of [0, 500, 5_000, 3_600_000]) expect(backoff.next(floor)).toBeGreaterThanOrEqual(floor);
  });

  it.each([
    ['after calm', (_: Backoff, clock: VirtualClock) => clock.advance(BACKOFF_RESET_MS + 1)],
    ['when told', (backoff: Backoff) => backoff.reset()],
  ])('begins anew %s', async (_, calm) => {
    const clock = new VirtualClock(3);
    for (let round = 0; round < 20; round += 1) {
      const backoff = new Backoff(clock);
      for (let failures = 0; failures < 10; failures += 1) backoff.next();
      await calm(backoff, clock);
      expect(backoff.next()).toBeLessThan(BACKOFF_BASE_MS);
    }
  });

  it('does not begin anew while failures go on', async () => {
    const clock = new VirtualClock(5);
    const backoff = new Backoff(clock);
    let longest = 0;
    for (let failures = 0; failures < 40; failures += 1) {
      longest = Math.max(longest, backoff.next());
      await clock.advance(BACKOFF_RESET_MS - 1);
    }
    expect(longest).toBeGreaterThan(20_000);
  });
});
