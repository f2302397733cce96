import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failure } from '../../test/support/scripted-upstream.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { Donor } from '../sources/source.ts';
import { DEPARTED_MS, DonorPool } from './donor-pool.ts';

const REFUSAL = failure('forbidden');

describe('DonorPool', () => {
  it('keeps the one in use while others come', () => {
    const { pool, changes } = made();
    const [first] = add(pool, 3);
    expect(pool.current()).toBe(first);
    add(pool, 3);
    expect(pool.current()).toBe(first);
    expect(changes()).toBe(1); // when the first came
  });

  it('keeps one who has left for a minute, then has another take over', async () => {
    const { pool, clock, changes } = made();
    const [first, second] = add(pool, 1);
    expect(second).toBeUndefined();
    pool.current();
    if (first !== undefined) pool.remove(first);
    expect(pool.current()).toBe(first);
    await clock.advance(DEPARTED_MS);
    expect(pool.current()).toBeUndefined();
    expect(changes()).toBe(1);
    const [third] = add(pool, 1);
    expect(changes()).toBe(2);
    expect(pool.current()).toBe(third);
  });

  it('does not bother with the leaving of those who are not in use', async () => {
    const { pool, clock, changes } = made();
    const [first, second] = add(pool, 2);
    expect(pool.current()).toBe(first);
    if (second !== undefined) pool.remove(second);
    await clock.advance(DEPARTED_MS * 2);
    expect(pool.current()).toBe(first);
    expect(changes()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('offers each donor once when all are refused, and tells each', () => {
    const { pool } = made();
    const donors = add(pool, 10);
    const tried: Donor[] = [];
    for (let donor = pool.current(); donor !== undefined; donor = pool.current()) {
      tried.push(donor);
      expect(tried.length).toBeLessThanOrEqual(10);
      pool.refused(donor, REFUSAL);
    }
    expect(tried).toEqual(donors);
    expect(donors.map(({ refusals }) => refusals)).toEqual(donors.map(() => 1));
  });

  it('always offers somebody who is here and was not refused, if there is one', async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'refuse', 'wait', 'look'), fc.nat()), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { pool, clock } = made();
        const here: (Donor & { refusals: number })[] = [];
        const leftAt = new Map<Donor, number>();
        for (const [step, which] of all) {
          const donor = here[which % Math.max(1, here.length)];
          if (step === 'add') here.push(...add(pool, 1));
          else if (step === 'wait') await clock.advance(which % 90_000);
          else if (step === 'remove' && donor !== undefined) {
            pool.remove(donor);
            here.splice(here.indexOf(donor), 1);
            leftAt.set(donor, clock.monotonic());
          } else if (step === 'refuse') {
            const current = pool.current();
            if (current === undefined) continue;
            pool.refused(current, REFUSAL);
            const index = here.findIndex((each) => each === current);
            if (index >= 0) here.splice(index, 1);
            leftAt.delete(current);
          }
          const current = pool.current();
          const hasJustLeft = [...leftAt]
            .filter(([, at]) => clock.monotonic() - at < DEPARTED_MS)
            .map(([each]) => each);
          expect(here.length > 0 ? here : [undefined, ...hasJustLeft]).toContain(current);
        }
        pool.close();
        expect(pool.current()).toBeUndefined();
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

function made() {
  const clock = new VirtualClock();
  let count = 0;
  const pool = new DonorPool(clock, () => (count += 1));
  return { clock, pool, changes: () => count };
}

function add(pool: DonorPool, count: number): (Donor & { refusals: number })[] {
  return Array.from({ length: count }, () => {
    const donor: Donor & { refusals: number } = {
      credentials: { kind: 'bearer', agentId: undefined, tokenType: 'pat', token: 't' },
      refusals: 0,
      refused: () => (donor.refusals += 1),
    };
    pool.add(donor);
    return donor;
  });
}
