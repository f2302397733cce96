import { systemClock, type Clock } from '../../src/clock.ts';

/** Real time, but faster: what should take a minute takes a second at scale 60. For waits behind real sockets. */
export function scaledClock(scale: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * scale,
    after: (milliseconds, task) => systemClock.after(milliseconds / scale, task),
    random: () => systemClock.random(),
  };
}
