import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { Reader } from './reader-watch.ts';

/** How often each socket is looked at, in milliseconds. */
export const LOOK_MS = 2_000;
/** A ping every 12 s. */
const LOOKS_A_BEAT = 6;

/**
 * `dead`: nothing was heard since the ping before. `stuck`: it takes nothing of what waits for it. `old`: it has lasted
 * as long as it may; said once.
 */
export type SocketVerdict = 'dead' | 'stuck' | 'old' | undefined;

/** One client's connection, looked at every 2 s: whether it is alive, takes what it is sent, and may stay. */
export class SocketWatch {
  readonly socket: WebSocket;
  readonly #tcp: Socket;
  readonly #reader: Reader;
  /** Monotonic milliseconds. */
  #endsAt: number;
  #looks = 0;
  #isWaitingForPong = false;

  /** `endsAt`: how long it may last, Infinity for ever. Times are monotonic milliseconds. */
  constructor(socket: WebSocket, tcp: Socket, now: number, endsAt: number) {
    this.socket = socket;
    this.#tcp = tcp;
    this.#reader = new Reader(tcp, now);
    this.#endsAt = endsAt;
  }

  /** Something came from it. */
  heard(): void {
    this.#isWaitingForPong = false;
  }

  look(now: number): SocketVerdict {
    if (this.#reader.isStuck(now)) return 'stuck';
    this.#looks += 1;
    if (this.#looks % LOOKS_A_BEAT === 0 && !this.#beat()) return 'dead';
    if (now < this.#endsAt) return undefined;
    this.#endsAt = Infinity;
    return 'old';
  }

  /**
   * A peer that still has bytes to take cannot answer before it took them: it is left to the watch on readers, or a
   * slow line would never get through its first snapshot. False when the last ping was not answered.
   */
  #beat(): boolean {
    if (this.#tcp.writableLength > 0) {
      this.#isWaitingForPong = false;
      return true;
    }
    if (this.#isWaitingForPong) return false;
    if (this.socket.readyState === this.socket.OPEN) {
      this.#isWaitingForPong = true;
      this.socket.ping();
    }
    return true;
  }
}
