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
import type { Limit } from '../metric-catalogue.ts';
import { DEFLATE_OFFER, forgetDecompressor } from './deflate.ts';
import { pathOf, refusedAtDoor } from './door.ts';
import type { DoorOptions } from './door.ts';
import { SocketPort } from './fanout/socket-outlet.ts';
import { createProtocol } from './protocol.ts';
import type { ProtocolOptions } from './protocol.ts';
import { RateLimit } from './rate-limit.ts';
import { Rounds } from './rounds.ts';
import type { Farewell } from './send-away.ts';
import type { Tally } from '../pubsub/tally.ts';
import { SocketConnection } from './socket-connection.ts';
import { SocketCount } from './socket-count.ts';
import { LOOK_MS, SocketWatch } from './socket-watch.ts';

declare module 'ws' {
  // @types/ws lags behind ws.
  interface ServerOptions {
    /** How long a peer may take to answer a close frame, in milliseconds. */
    closeTimeout?: number;
  }
}

export interface SocketServerOptions extends Omit<ProtocolOptions, 'socketsOfViewer'>, DoorOptions {
  readonly basePath: string;
  readonly maxMessageBytes: number;
  readonly maxSocketsPerViewer: number;
  /** What viewers hold on all replicas. */
  readonly tally?: Tally | undefined;
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

const TRY_AGAIN_LATER = 1013;

/**
 * GraphQL over WebSocket. graphql-ws' own adapter for ws writes to the console, pings without regard to what still
 * waits for the client, and reads on from a client that does not: this one does not.
 */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #protocol: Server<SocketConnection>;
  readonly #server: WebSocketServer;
  readonly #socketsOfAddress: SocketCount;
  readonly #upgrades: RateLimit;
  readonly #connections = new Map<WebSocket, SocketConnection>();
  readonly #rounds: Rounds<SocketWatch>;
  #isDraining = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    this.#socketsOfAddress = new SocketCount(options.maxSocketsPerAddress);
    this.#upgrades = new RateLimit(options.clock, options.maxUpgradesPerSecond);
    this.#rounds = new Rounds(options.clock, LOOK_MS, (watch) => this.#look(watch));
    this.#protocol = createProtocol({
      ...options,
      socketsOfViewer: new SocketCount(options.maxSocketsPerViewer, options.tally),
    });
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

  /** Bytes that wait for clients to take them. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const socket of this.#server.clients) bytes += socket.bufferedAmount;
    return bytes;
  }

  /** Everything that can be refused is refused before 101: it costs no socket. */
  upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void {
    tcp.on('error', destroyThis); // no closure here: it would hold the request for as long as the connection lasts
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

  /** From now on nobody is let in. Those who are go on, until they are sent away. */
  refuseMore(): void {
    this.#isDraining = true;
  }

  /** For each client: how to send it away with a code that makes it come back, here or to another replica. */
  farewells(): Farewell[] {
    return [...this.#connections.values()].map((connection) => () => connection.sendAway());
  }

  /** Cuts off whoever is left. */
  terminate(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  #refuseFor(tcp: Duplex, limit: Limit): void {
    this.#hit(limit);
    refuse(tcp, 429);
  }

  #hit(limit: Limit): void {
    this.#options.counters.add('limits_hit', { limit });
  }

  #refusal(request: IncomingMessage): number | undefined {
    const { basePath } = this.#options;
    if (this.#isDraining) return 503;
    if (pathOf(request) !== `${basePath === '/' ? '' : basePath}/graphql`) return 404;
    return refusedAtDoor(request.headers, this.#options) === undefined ? undefined : 403;
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    const { socket: tcp } = request;
    const connection = new SocketConnection(socket, new SocketPort(socket, tcp), request);
    const watch = this.#watch(socket, tcp);
    this.#connections.set(socket, connection);
    this.#rounds.add(watch);
    this.#listen(socket, tcp, connection, watch);
  }

  #listen(socket: WebSocket, tcp: Socket, connection: SocketConnection, watch: SocketWatch): void {
    const closed = this.#open(socket, connection);
    const heard = () => watch.heard();
    socket.on('message', () => {
      heard();
      forgetDecompressor(socket);
      waitForReader(socket, tcp);
    });
    socket.on('pong', heard);
    socket.on('ping', () => {
      heard();
      waitForReader(socket, tcp);
    });
    socket.on('error', (error) => this.#broken(error));
    socket.once('close', (code, reason) => {
      this.#connections.delete(socket);
      this.#rounds.delete(watch);
      closed(code, String(reason)).catch((error: unknown) =>
        this.#options.log.error({ error }, 'A connection did not end cleanly.'),
      );
    });
  }

  /** Has the protocol spoken on it. Returns what is to be told when it is gone. */
  #open(socket: WebSocket, connection: SocketConnection) {
    return this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (message) => connection.send(message),
        close: (code, reason) => connection.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (message: Buffer) => {
            if (connection.isServed) void this.#receive(socket, receive(message.toString()));
          }),
      },
      connection,
    );
  }

  #broken(error: Error): void {
    if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#hit('MAX_MESSAGE_BYTES');
    this.#options.log.debug({ error }, 'A client broke the WebSocket protocol.');
  }

  /** Whoever stays for hours shows fresh credentials from time to time. Not all at once: they come back at once. */
  #watch(socket: WebSocket, tcp: Socket): SocketWatch {
    const { clock, maxSocketSeconds } = this.#options;
    const now = clock.monotonic();
    const lifeMs = maxSocketSeconds === 0 ? Infinity : maxSocketSeconds * 1_000 * (0.9 + 0.2 * clock.random());
    return new SocketWatch(socket, tcp, now, now + lifeMs);
  }

  #look(watch: SocketWatch): void {
    const { socket } = watch;
    const verdict = watch.look(this.#options.clock.monotonic());
    switch (verdict) {
      case undefined:
        return;
      case 'dead':
        socket.terminate();
        return;
      case 'stuck':
        this.#rounds.delete(watch);
        this.#sendAway(socket);
        return;
      case 'old':
        this.#hit('MAX_SOCKET_SECONDS');
        void this.#connections.get(socket)?.sendAway();
        return;
      default:
        verdict satisfies never;
    }
  }

  /** The close frame waits behind everything unread: a client that still takes nothing is cut off. */
  #sendAway(socket: WebSocket): void {
    const { clock, log, counters } = this.#options;
    counters.add('slow_consumers_cut', { transport: 'websocket' });
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

function destroyThis(this: Duplex): void {
  this.destroy();
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
