/**
 * Time and chance as the rest of the code sees them. Everything that waits, dates or rolls dice takes a `Clock`,
 * so that a test can run hours in milliseconds and repeat a run from its seed.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. For timestamps shown to people; it may jump. */
  now(): number;
  /** Milliseconds that only grow. For deadlines and durations. */
  monotonic(): number;
  /**
   * Calls `task` once after `milliseconds`, or 24 days if that is longer, unless cancelled. A pending timer does not
   * keep the process alive.
   */
  after(milliseconds: number, task: () => void): Timer;
  /** A number in [0, 1). */
  random(): number;
}

export interface Timer {
  cancel(): void;
}

/** The longest that `setTimeout` waits; it takes anything longer for 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, task) {
    const handle = setTimeout(task, Math.min(milliseconds, LONGEST_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  random: () => Math.random(),
};

/** Resolves after `milliseconds`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const abort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
