import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { answer } from './child.ts';

/**
 * Clients that cost as little as can be: raw sockets that count frames and decode nothing, in a process of their own.
 */

interface Asked {
  readonly port: number;
  readonly count: number;
  /** Sent in turn, one to each socket. */
  readonly documents: readonly string[];
  readonly variables: Record<string, unknown>;
  readonly deflate: boolean;
}

const PING = 9;
/** Masked, as clients must, with a mask of zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

let clients: Client[] = [];
let bytes = 0;
let frames = 0;
let arrived: Promise<void> = Promise.resolve();
let onFrame: () => void = () => undefined;

class Client {
  readonly socket: Socket;
  frames = 0;
  /** Bytes of the current frame that have not come yet; while `#head` is being collected, none are known. */
  #left = 0;
  #head: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #isPing = false;

  constructor(port: number, deflate: boolean) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const extension = deflate ? 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n' : '';
    this.socket.write(
      `GET /graphql HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n${extension}\r\n`,
    );
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A masked text frame, with a mask of zeros. */
  send(message: object): void {
    const text = Buffer.from(JSON.stringify(message));
    const head =
      text.length < 126
        ? Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0])
        : Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 0xff, 0, 0, 0, 0]);
    this.socket.write(Buffer.concat([head, text]));
  }

  #take(chunk: Buffer): void {
    bytes += chunk.length;
    let rest = chunk;
    if (this.#head.length > 0 || !this.#isOpen) {
      rest = Buffer.concat([this.#head, chunk]);
      this.#head = Buffer.alloc(0);
    }
    if (!this.#isOpen) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#head = rest;
        return;
      }
      this.#isOpen = true;
      onFrame();
      rest = rest.subarray(end + 4);
    }
    while (rest.length > 0) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, rest.length);
        this.#left -= taken;
        rest = rest.subarray(taken);
        if (this.#left > 0) continue;
        if (this.#isPing) this.socket.write(PONG);
        else this.#count();
        continue;
      }
      const length = rest.length < 2 ? undefined : frameLength(rest);
      if (length === undefined) {
        this.#head = rest;
        return;
      }
      this.#left = length;
      this.#isPing = ((rest[0] ?? 0) & 0x0f) === PING;
    }
  }

  #count(): void {
    this.frames += 1;
    frames += 1;
    onFrame();
  }
}

/** Of the whole frame, or undefined when its header is not complete. */
function frameLength(buffer: Buffer): number | undefined {
  const short = (buffer[1] ?? 0) & 0x7f;
  if (short < 126) return 2 + short;
  if (short === 126) return buffer.length < 4 ? undefined : 4 + buffer.readUInt16BE(2);
  return buffer.length < 10 ? undefined : 10 + Number(buffer.readBigUInt64BE(2));
}

function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      onFrame = () => undefined;
      resolve();
    };
    onFrame = look;
    look();
  });
}

answer({
  /** Opens and acknowledges all sockets. */
  async open({ port, count, deflate }: Asked): Promise<void> {
    for (let made = 0; made < count; made += 200) {
      const some = Array.from({ length: Math.min(200, count - made) }, () => new Client(port, deflate));
      clients.push(...some);
      let open = 0;
      await until(() => {
        open = some.filter(({ isOpen }) => isOpen).length;
        return open === some.length;
      });
      for (const client of some) {
        client.send({ type: 'connection_init', payload: { authorization: 'Bearer glpat-bench' } });
      }
      await until(() => some.every((client) => client.frames > 0));
    }
  },

  /** Subscribes all of them at once; resolves with the milliseconds until all have their first message. */
  async subscribe({ documents, variables }: Asked): Promise<number> {
    const startedAt = performance.now();
    const due = frames + clients.length;
    for (const [index, client] of clients.entries()) {
      const query = documents[index % documents.length] ?? '';
      client.send({ id: crypto.randomUUID(), type: 'subscribe', payload: { query, variables } });
    }
    await until(() => frames >= due);
    return performance.now() - startedAt;
  },

  /** Begins to wait until each has got one more message. */
  expectOne(): void {
    const due = frames + clients.length;
    arrived = until(() => frames >= due);
  },

  arrived: () => arrived,

  /** All frames and bytes so far. */
  received: () => ({ frames, bytes }),

  async close(): Promise<void> {
    for (const { socket } of clients) socket.destroy();
    clients = [];
    await new Promise((resolve) => setTimeout(resolve, 200));
  },
});
