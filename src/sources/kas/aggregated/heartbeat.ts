import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../../../clock.ts';

/** Between two pings, and how long an answer may take, in milliseconds. */
export const PING_MS = 15_000;
export const PONG_MS = 10_000;

export interface HeartbeatListener {
  /** The server has read everything that was sent before the ping of this number. */
  pong(number: number): void;
  /** Neither an answer nor anything else has come in time. */
  dead(): void;
}

/** Asks a server regularly whether it is there. Pings are numbered, so that an answer says what it has read. */
export class Heartbeat {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #listener: HeartbeatListener;
  #sent = 0;
  #answered = 0;
  #heardAt: number;
  #next: Timer | undefined;
  #deadline: Timer | undefined;
  #isStopped = false;

  constructor(socket: WebSocket, clock: Clock, listener: HeartbeatListener) {
    this.#socket = socket;
    this.#clock = clock;
    this.#listener = listener;
    this.#heardAt = clock.monotonic();
    socket.on('pong', (data: Buffer) => this.#pong(Number(data.toString('latin1'))));
    this.#schedule();
  }

  /** Pings now. Returns the number that its answer will carry. */
  ping(): number {
    this.#sent += 1;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(String(this.#sent));
    this.#deadline ??= this.#clock.after(PONG_MS, () => this.#late());
    return this.#sent;
  }

  /** Something has come: a pong may be queueing behind it. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  stop(): void {
    this.#isStopped = true;
    this.#next?.cancel();
    this.#deadline?.cancel();
  }

  #schedule(): void {
    this.#next = this.#clock.after(PING_MS, () => {
      this.ping();
      this.#schedule();
    });
  }

  #pong(number: number): void {
    if (this.#isStopped || !Number.isSafeInteger(number) || number <= this.#answered || number > this.#sent) return;
    this.#answered = number;
    this.heard();
    this.#deadline?.cancel();
    this.#deadline = number === this.#sent ? undefined : this.#clock.after(PONG_MS, () => this.#late());
    this.#listener.pong(number);
  }

  #late(): void {
    // If it was this process that stood still, the answer waits in the kernel: it is read before the verdict.
    setImmediate(() => {
      if (this.#isStopped || this.#answered === this.#sent) return;
      const quietMs = this.#clock.monotonic() - this.#heardAt;
      this.#deadline?.cancel();
      if (quietMs >= PONG_MS) this.#listener.dead();
      else this.#deadline = this.#clock.after(PONG_MS - quietMs, () => this.#late());
    });
  }
}
