import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { takesDeflated } from '../deflate.ts';
import { deflatedTail, plainTail } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Outlet } from './outlet.ts';

const { OPEN } = WebSocket;

/**
 * A WebSocket for finished frames. They go to the TCP socket under ws' feet, which is safe as long as ws never holds a
 * frame back or splits one: it compresses nothing (`compress: false` on every send), so each of its sends is one whole
 * frame, written at once. Nothing may follow a close frame.
 */
export class SocketPort {
  readonly socket: WebSocket;
  readonly tcp: Socket;
  readonly deflates: boolean;
  /** Undefined until somebody on it has had to wait. */
  #listeners: Set<() => void> | undefined;

  constructor(socket: WebSocket, tcp: Socket) {
    this.socket = socket;
    this.tcp = tcp;
    this.deflates = takesDeflated(socket);
  }

  onFree(listener: () => void): () => void {
    const listeners = (this.#listeners ??= this.#listen());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #listen(): Set<() => void> {
    const listeners = new Set<() => void>();
    this.tcp.on('drain', () => {
      for (const listener of listeners) listener();
    });
    return listeners;
  }
}

/** One operation on a socket. */
export class SocketOutlet implements Outlet {
  readonly transport = 'websocket';
  readonly #port: SocketPort;
  readonly #socket: WebSocket;
  readonly #tcp: Socket;
  readonly #tail: Buffer;
  readonly #deflatedTail: Buffer | undefined;

  constructor(port: SocketPort, id: string) {
    this.#port = port;
    this.#socket = port.socket;
    this.#tcp = port.tcp;
    this.#tail = plainTail(id);
    this.#deflatedTail = port.deflates ? deflatedTail(this.#tail) : undefined;
  }

  get free(): boolean {
    return this.#tcp.writableLength === 0 && this.#socket.readyState === OPEN;
  }

  get deflates(): boolean {
    return this.#deflatedTail !== undefined;
  }

  write(frame: Frame): void {
    const deflated = frame.isDeflated ? this.#deflatedTail : undefined;
    if (deflated === undefined) frame.plain(this.#tail.length).to(this.#tcp, this.#tail);
    else frame.compressed(deflated.length).to(this.#tcp, deflated);
  }

  onFree(listener: () => void): () => void {
    return this.#port.onFree(listener);
  }
}
