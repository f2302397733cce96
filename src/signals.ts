/** Signals that come so close together are one, in milliseconds: npm passes on what the terminal sends to all anyway. */
const SAME_SIGNAL_MS = 500;

/**
 * The first SIGTERM or SIGINT stops, and ends the process with 0. A second one ends it at once, with 1: whoever waits
 * has waited enough.
 */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stoppingSince: number | undefined;
  const onSignal = () => {
    const now = performance.now();
    if (stoppingSince !== undefined && now - stoppingSince >= SAME_SIGNAL_MS) process.exit(1);
    if (stoppingSince !== undefined) return;
    stoppingSince = now;
    void stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}
