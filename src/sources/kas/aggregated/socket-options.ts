import type { Credentials } from '../../credentials.ts';
import type { Dialling } from './dial.ts';

/** A socket that the server closes sooner than this, however politely, is of no use. Milliseconds. */
export const SHORT_LIFE_MS = 60_000;
/** How long a socket without a watch is kept, in milliseconds: one that ends is as a rule followed by the next. */
export const IDLE_MS = 2_000;

export interface SocketOptions extends Dialling {
  /** Whose credentials open it. */
  readonly lender: Credentials;
  /** Is there anybody beyond KAS? Resolves when an answer came from the cluster. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly onClosed: () => void;
  /** A watch has left; others remain. */
  readonly onLeft: () => void;
  /** Something came that nobody asked for, or that is not understood. */
  readonly onIgnored: () => void;
}
