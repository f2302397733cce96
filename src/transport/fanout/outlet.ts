import type { Frame } from './frame.ts';

/** Where one operation's messages leave: a socket with the operation's id, or an event stream. */
export interface Outlet {
  readonly transport: 'websocket' | 'sse';
  /** Whether everything written before has been taken by the kernel, and more may follow. Who is not free is skipped. */
  readonly free: boolean;
  /** Whether it can take compressed messages. */
  readonly deflates: boolean;
  /** To be called only in a turn of the event loop in which this was free. */
  write(frame: Frame): void;
  /** Calls back when it may have become free; not always: who waits looks again from time to time. Returns how to stop. */
  onFree(listener: () => void): () => void;
}
