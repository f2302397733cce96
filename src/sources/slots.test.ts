import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settled } from '../../test/support/virtual-clock.ts';
import { Slots } from './slots.ts';

describe('Slots', () => {
  it('runs as many at once as there are, in order, and loses no place whatever becomes of the tasks', async () => {
    const ends = fc.array(fc.constantFrom('resolve', 'reject', 'give up before', 'give up during'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), ends, async (count, fates) => {
        const slots = new Slots(count);
        const started: number[] = [];
        const finish = new Map<number, () => void>();
        let running = 0;
        const runs = fates.map((fate, index) => {
          const life = new AbortController();
          const run = slots.run(life.signal, async () => {
            started.push(index);
            running += 1;
            expect(running).toBeLessThanOrEqual(count);
            await new Promise<void>((resolve) => {
              finish.set(index, resolve);
            });
            running -= 1;
            if (fate === 'reject') throw new Error('task');
            return index;
          });
          return { fate, index, life, outcome: run.then(String, (error: Error) => error.message) };
        });
        for (const { fate, index, life } of runs) {
          if (fate === 'give up before' && index >= count) life.abort(new Error('gave up'));
        }
        for (let round = 0; round <= fates.length; round += 1) {
          await settled();
          for (const [index, done] of finish) {
            if (runs[index]?.fate === 'give up during') runs[index]?.life.abort(new Error('gave up'));
            done();
          }
          finish.clear();
        }
        for (const { fate, index, outcome } of runs) {
          const gaveUp = fate === 'give up before' && index >= count;
          const message = fate === 'reject' ? 'task' : String(index);
          expect(await outcome).toBe(gaveUp ? 'gave up' : message);
        }
        expect(started).toEqual(started.toSorted((a, b) => a - b));
        expect(running).toBe(0);
        await expect(slots.run(new AbortController().signal, async () => 'free')).resolves.toBe('free');
      }),
      { numRuns: 100 },
    );
  });

  it('refuses whoever has given up before, and takes no place for it', async () => {
    const slots = new Slots(1);
    await expect(slots.run(AbortSignal.abort(new Error('gone')), async () => 1)).rejects.toThrow('gone');
    await expect(slots.run(new AbortController().signal, async () => 2)).resolves.toBe(2);
  });
});
