import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';

/** How long a reader may take nothing of what waits for it. */
const STUCK_MS = 30_000;
const CHECK_MS = 5_000;

/**
 * Calls `onStuck` once when bytes wait for the peer and it has taken none for 30 s. Slow is fine, however much waits:
 * only standing still is not. Returns how to stop watching.
 */
export function watchReader(tcp: Socket, clock: Clock, onStuck: () => void): () => void {
  let taken = takenBytes(tcp);
  let since = clock.monotonic();
  let timer: Timer = clock.after(CHECK_MS, check);

  function check(): void {
    const now = takenBytes(tcp);
    if (now > taken || tcp.writableLength === 0) {
      taken = now;
      since = clock.monotonic();
    } else if (clock.monotonic() - since >= STUCK_MS) {
      onStuck();
      return;
    }
    timer = clock.after(CHECK_MS, check);
  }

  return () => timer.cancel();
}

/**
 * Bytes the kernel has taken for this peer. Node's public counters move only when a whole write is done, and one
 * snapshot is one write: on a slow line that looks like standing still. libuv knows better.
 */
function takenBytes(tcp: Socket): number {
  const { _handle: handle } = tcp as { _handle?: { bytesWritten: number; writeQueueSize: number } | null };
  return handle ? handle.bytesWritten - handle.writeQueueSize : tcp.bytesWritten - tcp.writableLength;
}
