import { expect, it } from 'vitest';
import { systemClock } from './clock.ts';

it.each([2 ** 31, 1e12, Number.MAX_SAFE_INTEGER, Infinity])(
  'a timer of %d ms does not fire at once',
  async (milliseconds) => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    let fired = 0;
    const timer = systemClock.after(milliseconds, () => (fired += 1));
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    timer.cancel();
    process.off('warning', note);
    expect([fired, warnings]).toEqual([0, []]);
  },
);
