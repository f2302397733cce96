import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols } from 'graphql-ws';
import type { Server } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { DEFLATE_OFFER, forgetDecompressor } from './deflate.ts';
import { originAllowed, pathOf } from './door.ts';
import { SocketOutlet, SocketPort } from './fanout/socket-outlet.ts';
import { keepAlive } from './heartbeat.ts';
import { createProtocol } from './protocol.ts';
import type { Connection, ProtocolOptions } from './protocol.ts';
import { RateLimit } from './rate-limit.ts';
import { watchReader } from './reader-watch.ts';
import { SocketCount } from './socket-count.ts';

declare module 'ws' {
  // @types/ws lags behind ws.
  interface ServerOptions {
    /** How long a peer may take to answer a close frame, in milliseconds. */
    closeTimeout?: number;
  }
}

export interface SocketServerOptions extends Omit<ProtocolOptions, 'socketsOfViewer'> {
  readonly basePath: string;
  readonly allowedOrigins: readonly string[];
  readonly maxMessageBytes: number;
  readonly maxSocketsPerViewer: number;
  /** 0: not limited. */
  readonly maxSocketsPerAddress: number;
  /** Of the whole process; 0: not limited. */
  readonly maxUpgradesPerSecond: number;
  /** How long a connection may last, give or take a tenth; 0: for ever. */
  readonly maxSocketSeconds: number;
  readonly clock: Clock;
  readonly log: Log;
}

const CLOSE_TIMEOUT_MS = 2_000;
/** With this much waiting for a client, nothing more is read from it: each of its messages may have an answer. */
const PAUSE_READING_BYTES = 1_048_576;

const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;

/**
 * GraphQL over WebSocket. graphql-ws' own adapter for ws writes to the console, pings without regard to what still
 * waits for the client, and reads on from a client that does not: this one does not.
 */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #protocol: Server<Connection>;
  readonly #server: WebSocketServer;
  readonly #socketsOfAddress: SocketCount;
  readonly #upgrades: RateLimit;
  #draining = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#socketsOfAddress = new SocketCount(options.maxSocketsPerAddress);
    this.#upgrades = new RateLimit(options.clock, options.maxUpgradesPerSecond);
    this.#protocol = createProtocol({ ...options, socketsOfViewer: new SocketCount(options.maxSocketsPerViewer) });
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: DEFLATE_OFFER,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols,
    });
  }

  get size(): number {
    return this.#server.clients.size;
  }

  /** Everything that can be refused is refused before 101: it costs no socket. */
  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void {
    tcp.on('error', () => tcp.destroy());
    const address = request.socket.remoteAddress ?? '';
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      refuse(tcp, refusal);
      return;
    }
    if (!this.#upgrades.take()) {
      this.#refuseFor(tcp, 'MAX_UPGRADES_PER_SECOND');
      return;
    }
    const leave = this.#socketsOfAddress.enter(address);
    if (!leave) {
      this.#refuseFor(tcp, 'MAX_SOCKETS_PER_ADDRESS');
      return;
    }
    tcp.once('close', leave);
    this.#server.handleUpgrade(request, tcp, head, (socket) => this.#serve(socket, request));
  }

  /** Sends every client away with a code that makes it come back, here or to another replica. */
  async stop(): Promise<void> {
    this.#draining = true;
    const closed = [...this.#server.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#server.clients) socket.close(SERVICE_RESTART, 'Service Restart');
    await Promise.all(closed);
  }

  #refuseFor(tcp: Duplex, limit: string): void {
    this.#hit(limit);
    refuse(tcp, 429);
  }

  #hit(limit: string): void {
    this.#options.counters.add('limits_hit', { limit });
  }

  #refusal(request: IncomingMessage): number | undefined {
    const { basePath, allowedOrigins } = this.#options;
    if (this.#draining) return 503;
    if (pathOf(request) !== `${basePath === '/' ? '' : basePath}/graphql`) return 404;
    return originAllowed(request.headers, allowedOrigins) ? undefined : 403;
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    const { clock, log } = this.#options;
    const tcp = request.socket;
    const stopWatching = watchReader(tcp, clock, () => this.#sendAway(socket));
    const stopAging = this.#limitLife(socket);
    const stopPinging = keepAlive(socket, tcp, clock, () => socket.terminate());
    const port = new SocketPort(socket, tcp);
    const connection: Connection = {
      upgrade: request,
      operations: 0,
      credentials: undefined,
      leave: undefined,
      close: (code, reason) => socket.close(code, reason),
      outlet: (id) => new SocketOutlet(port, id),
    };
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (message) => send(socket, message, gone),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (message: Buffer) => void this.#receive(socket, receive(message.toString()))),
      },
      connection,
    );
    socket.on('message', () => {
      forgetDecompressor(socket);
      waitForReader(socket, tcp);
    });
    socket.on('ping', () => waitForReader(socket, tcp));
    socket.on('error', (error) => {
      if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#hit('MAX_MESSAGE_BYTES');
      log.debug({ error }, 'A client broke the WebSocket protocol.');
    });
    socket.once('close', (code, reason) => {
      stopWatching();
      stopAging();
      stopPinging();
      connection.leave?.();
      closed(code, String(reason)).catch((error: unknown) => log.error({ error }, 'A connection did not end cleanly.'));
    });
  }

  /** Whoever stays for hours shows fresh credentials from time to time. Not all at once: they come back at once. */
  #limitLife(socket: WebSocket): () => void {
    const { clock, maxSocketSeconds } = this.#options;
    if (maxSocketSeconds === 0) return () => undefined;
    const timer = clock.after(maxSocketSeconds * 1_000 * (0.9 + 0.2 * clock.random()), () => {
      this.#hit('MAX_SOCKET_SECONDS');
      socket.close(SERVICE_RESTART, 'Connect again');
    });
    return () => timer.cancel();
  }

  /** The close frame waits behind everything unread: a client that still takes nothing is cut off. */
  #sendAway(socket: WebSocket): void {
    const { clock, log } = this.#options;
    log.info({ waitingBytes: socket.bufferedAmount }, 'A client that reads nothing is sent away.');
    socket.close(TRY_AGAIN_LATER, 'Slow consumer');
    clock.after(CLOSE_TIMEOUT_MS, () => socket.terminate());
  }

  async #receive(socket: WebSocket, received: Promise<void>): Promise<void> {
    try {
      await received;
    } catch (error) {
      if (socket.readyState !== socket.OPEN) return; // it went away in the middle of an answer
      this.#options.log.warn({ error }, 'A message could not be served.');
      socket.close(CloseCode.InternalServerError, 'Internal server error');
    }
  }
}

const UNCOMPRESSED = { compress: false };

/** While the socket closes nothing is sent, and nobody is told that it was: a source would run on at full speed. */
function send(socket: WebSocket, message: string, gone: Promise<void>): Promise<void> {
  if (socket.readyState !== socket.OPEN) return gone;
  return new Promise((resolve, reject) =>
    socket.send(message, UNCOMPRESSED, (error) => (error ? reject(error) : resolve())),
  );
}

function waitForReader(socket: WebSocket, tcp: Socket): void {
  if (socket.bufferedAmount < PAUSE_READING_BYTES || socket.isPaused) return;
  socket.pause();
  tcp.once('drain', () => socket.resume());
}

function refuse(tcp: Duplex, status: number): void {
  const again = status === 429 || status === 503 ? 'Retry-After: 5\r\n' : '';
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n${again}\r\n`;
  tcp.end(head, () => tcp.destroy());
}
