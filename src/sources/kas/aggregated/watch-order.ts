import type { Donor, Donors, WatchTarget } from '../../source.ts';
import type { WatchEnd, WatchEvent, WatchRequest } from '../../upstream.ts';

/** What a watch on a shared socket is to be, and who hears of it. */
export interface WatchOrder {
  readonly target: WatchTarget;
  readonly request: WatchRequest;
  /** Those who look at it, and whose credentials could open a socket; and the one of them who would now. */
  readonly donors: Donors;
  readonly donor: Donor;
  /** Names it, and completes "You may not …". */
  readonly what: string;
  readonly listener: SocketListener;
}

export interface SocketListener {
  /** Proof that the server has the watch, without a word from it. An event is proof as well. */
  accepted(): void;
  event(event: WatchEvent): void;
  /** KAS answers; the watch itself has said nothing. Only once it was accepted. */
  alive(): void;
  /** Exactly one, unless it is closed first. */
  ended(end: SocketEnd): void;
  /** Nobody who looks lends their credentials to this socket any longer: the watch should move to another. */
  orphaned(): void;
}

/**
 * How a watch on a socket ended, and what was at fault: this watch alone, the request for a token before there was a
 * socket, the opening of the socket, the socket itself, or nobody, because it had served and was closed in good order.
 */
export interface SocketEnd {
  readonly end: WatchEnd;
  readonly blame: 'watch' | 'token' | 'upgrade' | 'socket' | 'politeClose';
}
