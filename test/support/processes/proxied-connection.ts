import type { Socket } from 'node:net';

/** What happens to bytes on their way. */
export type LinkFault =
  | { readonly kind: 'pass' }
  /** Nothing passes in either direction, nor does an end: as when packets are lost. It waits for better times. */
  | { readonly kind: 'blackHole' }
  /** Everything arrives so much later. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** A reset of both ends after so many more bytes from the server, wherever that falls. */
  | { readonly kind: 'resetAfter'; readonly bytes: number };

/** So much of what a client said last is remembered, to tell connections apart. */
const REMEMBERED_BYTES = 2_048;

/** One connection through a proxy: two pipes. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: readonly [toServer: Pipe, toClient: Pipe];
  readonly #gone: () => void;
  /** When the server has sent something last. */
  heardAt = performance.now();
  #fault: LinkFault;
  #bytesUntilReset = Number.POSITIVE_INFINITY;
  #said = '';
  #isOver = false;
  #dropped: { readonly matches: (chunk: string) => boolean; readonly done: () => void } | undefined;

  constructor(client: Socket, server: Socket, fault: LinkFault, gone: () => void) {
    this.#client = client;
    this.#server = server;
    this.#gone = gone;
    this.#fault = fault;
    this.#pipes = [
      new Pipe(client, server, (chunk) => this.#fromClient(chunk)),
      new Pipe(server, client, (chunk) => this.#fromServer(chunk)),
    ];
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', (hadError) => this.#closed(other, hadError));
    }
    this.disturb(fault);
  }

  /** The last bytes that the client sent, as Latin-1. */
  get said(): string {
    return this.#said;
  }

  disturb(fault: LinkFault): void {
    this.#fault = fault;
    this.#bytesUntilReset = fault.kind === 'resetAfter' ? fault.bytes : Number.POSITIVE_INFINITY;
    for (const pipe of this.#pipes) {
      pipe.delayMs = fault.kind === 'latency' ? fault.ms : 0;
      pipe.hold(fault.kind === 'blackHole');
    }
    if (this.#client.destroyed) this.#closed(this.#server, false);
    if (this.#server.destroyed) this.#closed(this.#client, false);
  }

  /** Loses the next piece that the server sends and that fits. Resolves when that has happened. */
  dropNext(matches: (piece: string) => boolean): Promise<void> {
    return new Promise((done) => {
      this.#dropped = { matches, done };
    });
  }

  /** Resets both ends. */
  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    reset(this.#client);
    reset(this.#server);
    this.#gone();
  }

  #fromClient(chunk: Buffer): Buffer | undefined {
    this.#said = (this.#said + chunk.toString('latin1')).slice(-REMEMBERED_BYTES);
    return chunk;
  }

  #fromServer(chunk: Buffer): Buffer | undefined {
    this.heardAt = performance.now();
    if (this.#dropped?.matches(chunk.toString('latin1'))) {
      this.#dropped.done();
      this.#dropped = undefined;
      return undefined;
    }
    this.#bytesUntilReset -= chunk.length;
    if (this.#bytesUntilReset > 0) return chunk;
    // What was allowed arrives, then the reset: nothing else would leave the reader with half a document.
    this.#client.write(chunk.subarray(0, chunk.length + this.#bytesUntilReset), () => this.cut());
    this.#bytesUntilReset = Number.POSITIVE_INFINITY;
    return undefined;
  }

  /** One end has gone: so does the other, unless nothing passes at the moment. */
  #closed(other: Socket, hadError: boolean): void {
    if (this.#isOver || this.#fault.kind === 'blackHole') return;
    if (hadError) reset(other);
    else other.end();
    if (!other.destroyed) return;
    this.#isOver = true;
    this.#gone();
  }
}

/** Node never closes a socket that is reset while its end is on the way. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** One direction. Holding it back lets the sender feel it, as a full window does. */
class Pipe {
  delayMs = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #pass: (chunk: Buffer) => Buffer | undefined;
  /** What arrives later, in order. */
  readonly #waiting: { readonly chunk: Buffer; readonly at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  /** `pass`: what becomes of a piece; undefined swallows it. */
  constructor(from: Socket, to: Socket, pass: (chunk: Buffer) => Buffer | undefined) {
    this.#from = from;
    this.#to = to;
    this.#pass = pass;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => {
      if (!this.#isHeld) to.end();
    });
    to.on('drain', () => this.#flow());
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#flow();
    this.#deliver();
  }

  #take(chunk: Buffer): void {
    const passed = this.#pass(chunk);
    if (passed === undefined) return;
    if (this.delayMs === 0 && this.#waiting.length === 0 && !this.#isHeld) this.#write(passed);
    else {
      this.#waiting.push({ chunk: passed, at: performance.now() + this.delayMs });
      this.#deliver();
    }
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    for (let [first] = this.#waiting; first !== undefined && !this.#isHeld; [first] = this.#waiting) {
      const early = first.at - performance.now();
      if (early > 0 && this.delayMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), early);
        return;
      }
      this.#waiting.shift();
      this.#write(first.chunk);
    }
  }

  #write(chunk: Buffer): void {
    if (!this.#to.destroyed && !this.#to.write(chunk)) this.#flow();
  }

  #flow(): void {
    if (this.#isHeld || this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }
}
