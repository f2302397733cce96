import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { takesDeflated } from '../deflate.ts';
import { deflatedTail, plainTail } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Outlet } from './outlet.ts';

/**
 * A WebSocket for finished frames. They go to the TCP socket under ws' feet, which is safe as long as ws never holds a
 * frame back or splits one: it compresses nothing (`compress: false` on every send), so each of its sends is one whole
 * frame, written at once. Nothing may follow a close frame.
 */
export class SocketPort {
  readonly #socket: WebSocket;
  readonly #tcp: Socket;
  readonly #listeners = new Set<() => void>();
  readonly deflates: boolean;

  constructor(socket: WebSocket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.deflates = takesDeflated(socket);
    tcp.on('drain', () => {
      for (const listener of this.#listeners) listener();
    });
  }

  get free(): boolean {
    return this.#tcp.writableLength === 0 && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Both parts in one system call. */
  write(head: Buffer, tail: Buffer): void {
    this.#tcp.cork();
    this.#tcp.write(head);
    this.#tcp.write(tail);
    this.#tcp.uncork();
  }

  onFree(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** One operation on a socket. */
export class SocketOutlet implements Outlet {
  readonly #port: SocketPort;
  readonly #tail: Buffer;
  readonly #deflatedTail: Buffer | undefined;

  constructor(port: SocketPort, id: string) {
    this.#port = port;
    this.#tail = plainTail(id);
    this.#deflatedTail = port.deflates ? deflatedTail(this.#tail) : undefined;
  }

  get free(): boolean {
    return this.#port.free;
  }

  get deflates(): boolean {
    return this.#deflatedTail !== undefined;
  }

  write(frame: Frame): void {
    if (this.#deflatedTail !== undefined && frame.isDeflated) {
      this.#port.write(frame.deflatedHead(this.#deflatedTail.length), this.#deflatedTail);
    } else this.#port.write(frame.plainHead(this.#tail.length), this.#tail);
  }

  onFree(listener: () => void): () => void {
    return this.#port.onFree(listener);
  }
}
