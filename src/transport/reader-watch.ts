import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';

/** How long a reader may take nothing of what waits for it. */
const STUCK_MS = 30_000;
const CHECK_MS = 5_000;

/** How much of what waits for it a peer takes. Slow is fine, however much waits: only standing still is not. */
export class Reader {
  readonly #tcp: Socket;
  #taken: number;
  /** When it took something last, or nothing waited: monotonic milliseconds. */
  #since: number;

  constructor(tcp: Socket, now: number) {
    this.#tcp = tcp;
    this.#taken = takenBytes(tcp);
    this.#since = now;
  }

  /** Bytes have waited for it for 30 s and it has taken none. To be asked every few seconds. */
  isStuck(now: number): boolean {
    const taken = takenBytes(this.#tcp);
    if (taken > this.#taken || this.#tcp.writableLength === 0) {
      this.#taken = taken;
      this.#since = now;
    }
    return now - this.#since >= STUCK_MS;
  }
}

/** Calls `onStuck` once when the reader is. Returns how to stop watching. */
export function watchReader(tcp: Socket, clock: Clock, onStuck: () => void): () => void {
  const reader = new Reader(tcp, clock.monotonic());
  let timer: Timer = clock.after(CHECK_MS, check);

  function check(): void {
    if (reader.isStuck(clock.monotonic())) onStuck();
    else timer = clock.after(CHECK_MS, check);
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
