import { systemClock, type Clock } from '../../src/clock.ts';

/** Real time that can be put forward: what has been waited for already is overdue then, and what runs goes on running. */
export interface ShiftedClock extends Clock {
  putForward(milliseconds: number): void;
}

export function shiftedClock(): ShiftedClock {
  let shift = 0;
  return {
    now: () => systemClock.now() + shift,
    monotonic: () => systemClock.monotonic() + shift,
    after: (milliseconds, task) => systemClock.after(milliseconds, task),
    random: () => systemClock.random(),
    putForward: (milliseconds) => (shift += milliseconds),
  };
}
