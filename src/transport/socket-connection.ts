import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Credentials } from '../sources/credentials.ts';
import type { TraceContext } from '../tracing/trace-context.ts';
import { SocketOutlet, type SocketPort } from './fanout/socket-outlet.ts';
import { OwedAnswers } from './owed-answers.ts';

const UNCOMPRESSED = { compress: false };
const SERVICE_RESTART = 1012;

/** One client's connection. A class without closures, because there is one for each of thousands. */
export class SocketConnection {
  readonly answers = new OwedAnswers();
  /** Operations that run or have an answer on its way. */
  operations = 0;
  credentials: Credentials | undefined;
  /** What its operations are part of. */
  trace: TraceContext | undefined;
  readonly #socket: WebSocket;
  readonly #port: SocketPort;
  #upgrade: IncomingMessage | undefined;
  #gone: Promise<void> | undefined;
  #isLeaving = false;

  constructor(socket: WebSocket, port: SocketPort, upgrade: IncomingMessage) {
    this.#socket = socket;
    this.#port = port;
    this.#upgrade = upgrade;
  }

  /** Its messages count: whoever is sent away asks again elsewhere, and here it would be done twice. */
  get isServed(): boolean {
    return !this.#isLeaving && this.#socket.readyState === this.#socket.OPEN;
  }

  /** The request that it was opened with. To be had once: it is not kept for as long as the connection lasts. */
  takeUpgrade(): IncomingMessage {
    const upgrade = this.#upgrade;
    if (upgrade === undefined) throw new Error('The upgrade request was taken already.');
    this.#upgrade = undefined;
    return upgrade;
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Where finished messages of an operation go. */
  outlet(id: string): SocketOutlet {
    return new SocketOutlet(this.#port, id);
  }

  /**
   * While the socket closes nothing is sent, and nobody is told that it was: a source would run on at full speed. A
   * client that is torn off in the middle of a message is one more that has gone.
   */
  send(message: string): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return this.gone();
    return new Promise((resolve) =>
      socket.send(message, UNCOMPRESSED, (error) => resolve(error ? this.gone() : undefined)),
    );
  }

  /** Resolves when the connection is gone; at once if it is already. */
  gone(): Promise<void> {
    return (this.#gone ??= new Promise((resolve) => this.untilGone(resolve)));
  }

  /** Lets go of something when the connection is gone; at once if it is already. */
  untilGone(letGo: () => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) letGo();
    else this.#socket.once('close', letGo);
  }

  /** Sends the client away, after the answers that it is owed, with a code that makes it come back elsewhere. */
  async sendAway(): Promise<void> {
    this.#isLeaving = true;
    await Promise.race([this.answers.none(), this.gone()]);
    this.close(SERVICE_RESTART, 'Service Restart');
    await this.gone();
  }
}
