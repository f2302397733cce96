import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../../../clock.ts';
import { sameCredentials, type Credentials } from '../../credentials.ts';
import { Stopped } from '../../stopped.ts';
import { UpstreamError } from '../../upstream-error.ts';
import type { WatchHandle } from '../../upstream.ts';
import { connectionError } from '../../apiserver/error-map.ts';
import { watchEvent } from '../../apiserver/http-watch.ts';
import { KAS } from '../kas.ts';
import { closeError } from './close-error.ts';
import { Acceptance } from './acceptance.ts';
import { dial, DialError } from './dial.ts';
import { Heartbeat } from './heartbeat.ts';
import { parseMessage, unwatchMessage, watchMessage, type ServerMessage } from './messages.ts';
import { IDLE_MS, SHORT_LIFE_MS, type SocketOptions } from './socket-options.ts';
import { frameError, watchError } from './watch-error.ts';
import type { SocketEnd, WatchOrder } from './watch-order.ts';

interface Riding {
  readonly id: string;
  readonly order: WatchOrder;
  /** The first sign of life has come. */
  isAccepted: boolean;
}

/**
 * One WebSocket to KAS and the watches on it: dialling → open → closed. It is opened with the first watch and closed
 * a moment after the last one. Whatever ends it ends all of its watches, each exactly once.
 */
export class AggregatedSocket {
  readonly lender: Credentials;
  readonly #options: SocketOptions;
  readonly #clock: Clock;
  readonly #life = new AbortController();
  readonly #riding = new Map<string, Riding>();
  readonly #refusing = new Set<string>();
  readonly #acceptance: Acceptance;
  #socket: WebSocket | undefined;
  #heartbeat: Heartbeat | undefined;
  #idle: Timer | undefined;
  #watchCount = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.lender = options.lender;
    this.#acceptance = new Acceptance(options.probe, this.#life.signal, {
      accept: (id) => this.#accept(this.#riding.get(id)),
      fail: (id, error) => this.#end(id, { end: { kind: 'failed', error }, blame: 'watch' }),
    });
    void this.#open();
  }

  get isClosed(): boolean {
    return this.#life.signal.aborted;
  }

  /** What is watched over it, of watches that have not been given up. */
  orders(): WatchOrder[] {
    return Array.from(this.#riding.values(), ({ order }) => order);
  }

  /** Its lender may not watch this, though others may. */
  refuses({ what }: WatchOrder): boolean {
    return this.#refusing.has(what);
  }

  noteRefusal(what: string): void {
    this.#refusing.add(what);
  }

  watch(order: WatchOrder): WatchHandle {
    this.#idle?.cancel();
    this.#watchCount += 1;
    const id = `${order.target.resource.plural}-${this.#watchCount}`;
    const riding: Riding = { id, order, isAccepted: false };
    this.#riding.set(id, riding);
    this.#ask(riding);
    return { close: () => this.#leave(id) };
  }

  /** Ends it and everything on it, at once and without a word to anybody. */
  close(): void {
    this.#riding.clear();
    this.#shut('politely');
  }

  async #open(): Promise<void> {
    try {
      const socket = await dial(this.#options, this.#life.signal);
      if (this.isClosed) {
        socket.terminate();
        return;
      }
      this.#attach(socket);
    } catch (error) {
      if (this.isClosed) return;
      const { reason, stage } =
        error instanceof DialError ? error : new DialError('upgrade', connectionError(error, KAS));
      this.#endAll({ end: { kind: 'failed', error: reason }, blame: stage });
    }
  }

  #attach(socket: WebSocket): void {
    const openedAt = this.#clock.monotonic();
    this.#socket = socket;
    this.#heartbeat = new Heartbeat(socket, this.#clock, {
      pong: (number) => this.#pong(number),
      dead: () => this.#fellSilent(),
    });
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    // What ws itself refuses (too large, not UTF-8, a broken frame) is an error first; `close` would only say 1006.
    socket.on('error', (error) => this.#died(frameError(error)));
    socket.on('close', (code) => {
      const error = closeError(code);
      const hasServed = this.#clock.monotonic() - openedAt > SHORT_LIFE_MS;
      if (error === 'clean') this.#endAll({ end: { kind: 'clean' }, blame: hasServed ? 'politeClose' : 'socket' });
      else this.#died(error);
    });
    for (const riding of this.#riding.values()) this.#ask(riding);
  }

  #ask({ id, order }: Riding): void {
    if (this.#socket === undefined || this.#heartbeat === undefined) return; // when it is open
    this.#socket.send(watchMessage(id, order.target, order.request));
    const isDoubtful = !sameCredentials(order.donor.credentials, this.lender);
    this.#acceptance.asked(id, this.#heartbeat.ping(), isDoubtful);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.isClosed) return;
    this.#heartbeat?.heard();
    try {
      if (isBinary) throw new UpstreamError('malformed', 'The aggregated watch sent bytes.', { hop: 'kas' });
      this.#handle(parseMessage(data.toString()));
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.#died(error);
    }
  }

  #handle(message: ServerMessage): void {
    if (message.kind === 'error' && message.watchId === undefined) {
      this.#died(watchError(message.status, 'watch', this.#clock.now()));
      return;
    }
    const riding = message.kind === 'unknown' ? undefined : this.#riding.get(message.watchId ?? '');
    if (riding === undefined) {
      this.#options.onIgnored(); // unknown to us, or late for a watch that has been given up
      return;
    }
    switch (message.kind) {
      case 'event':
        this.#event(riding, message.event);
        return;
      case 'stop':
        this.#accepted(riding);
        this.#end(riding.id, { end: { kind: 'clean' }, blame: 'watch' });
        return;
      case 'error': {
        const error = watchError(message.status, riding.order.what, this.#clock.now());
        this.#end(riding.id, { end: { kind: 'failed', error }, blame: 'watch' });
        return;
      }
      default:
    }
  }

  #event(riding: Riding, document: unknown): void {
    let event;
    try {
      event = watchEvent(document, riding.order.what, KAS);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.failure === 'malformed') throw error;
      this.#end(riding.id, { end: { kind: 'failed', error }, blame: 'watch' });
      return;
    }
    this.#accepted(riding);
    riding.order.listener.event(event);
  }

  #pong(number: number): void {
    this.#acceptance.pong(number);
    for (const { isAccepted, order } of this.#riding.values()) if (isAccepted) order.listener.alive();
  }

  #accept(riding: Riding | undefined): void {
    if (riding === undefined || riding.isAccepted) return;
    this.#accepted(riding);
    riding.order.listener.accepted();
  }

  /** Its own word or the proof from elsewhere: it need not be looked for any longer. */
  #accepted(riding: Riding): void {
    riding.isAccepted = true;
    this.#acceptance.settled(riding.id);
  }

  #leave(id: string): void {
    if (!this.#riding.delete(id)) return;
    this.#acceptance.settled(id);
    if (this.#socket?.readyState === this.#socket?.OPEN) this.#socket?.send(unwatchMessage(id));
    this.#afterLeaving();
  }

  #end(id: string, end: SocketEnd): void {
    const riding = this.#riding.get(id);
    if (riding === undefined) return;
    this.#riding.delete(id);
    this.#acceptance.settled(id);
    riding.order.listener.ended(end);
    this.#afterLeaving();
  }

  #afterLeaving(): void {
    if (this.isClosed) return;
    if (this.#riding.size > 0) {
      this.#options.onLeft();
      return;
    }
    this.#idle?.cancel();
    this.#idle = this.#clock.after(IDLE_MS, () => this.#shut('politely'));
  }

  #fellSilent(): void {
    this.#options.http.distrustConnections();
    this.#died(new UpstreamError('timeout', 'GitLab Agent Server fell silent.', { hop: 'kas' }));
  }

  #died(error: UpstreamError): void {
    this.#endAll({ end: { kind: 'failed', error }, blame: 'socket' });
  }

  #endAll(end: SocketEnd): void {
    if (this.isClosed) return;
    const riding = [...this.#riding.values()];
    this.#riding.clear();
    this.#shut(end.blame === 'socket' ? 'abruptly' : 'politely');
    for (const { order } of riding) order.listener.ended(end);
  }

  #shut(how: 'politely' | 'abruptly'): void {
    if (this.isClosed) return;
    this.#life.abort(new Stopped());
    this.#idle?.cancel();
    this.#heartbeat?.stop();
    this.#options.onClosed();
    const socket = this.#socket;
    if (socket === undefined) return;
    if (how === 'abruptly') {
      socket.terminate();
      return;
    }
    // The server gets a moment for its part of the farewell.
    socket.close(1000);
    this.#clock.after(IDLE_MS, () => socket.terminate());
  }
}
