import { sameCredentials } from '../credentials.ts';
import type { Donor, Donors, WatchTarget } from '../source.ts';
import { isRefusal, UpstreamError } from '../upstream-error.ts';
import type { WatchEnd, WatchEvent, WatchHandle, WatchListener, WatchRequest } from '../upstream.ts';
import type { AggregatedSockets } from './aggregated/sockets.ts';
import type { AggregatedSocket } from './aggregated/socket.ts';
import type { SocketEnd } from './aggregated/watch-order.ts';
import { ReplayGuard, type ReplayGuardOptions } from './replay-guard.ts';
import type { Attempt, TransportChooser } from './transport-chooser.ts';

export interface KasWatchOptions extends Pick<ReplayGuardOptions, 'memory' | 'known' | 'list' | 'get'> {
  readonly target: WatchTarget;
  readonly request: WatchRequest;
  readonly donors: Donors;
  readonly donor: Donor;
  /** Names it, and completes "You may not …". */
  readonly what: string;
  readonly sockets: AggregatedSockets;
  readonly chooser: TransportChooser;
  readonly overHttp: (listener: WatchListener) => WatchHandle;
  readonly orphaned: () => void;
  readonly listener: WatchListener;
}

/**
 * One watch on the transport that is the choice of the moment. A WebSocket that cannot be had is replaced by an HTTP
 * stream without a word to the listener, who has not been told of anything yet; one that breaks later is told to it.
 */
export class KasWatch implements WatchHandle {
  readonly #options: KasWatchOptions;
  readonly #attempt: Attempt;
  #handle: WatchHandle | undefined;
  #guard: ReplayGuard | undefined;
  #isOver = false;
  #isOpened = false;
  #isOnHttp = false;

  constructor(options: KasWatchOptions) {
    this.#options = options;
    this.#attempt = options.chooser.next();
  }

  /** Throws an UpstreamError when the donor's credentials are not for this agent. */
  start(): void {
    if (this.#attempt.transport === 'HTTP_STREAM') this.#goOverHttp();
    else this.#goOverSocket();
  }

  get isOverHttp(): boolean {
    return this.#isOnHttp;
  }

  get isOpenOverHttp(): boolean {
    return this.#isOnHttp && this.#isOpened;
  }

  close(): void {
    this.#over();
    this.#attempt.abandoned();
  }

  #goOverHttp(): void {
    this.#isOnHttp = true;
    this.#handle = this.#options.overHttp({
      opened: () => this.#opened('HTTP_STREAM'),
      event: (event) => this.#event(event),
      ended: (end) => this.#ended(end),
    });
  }

  #goOverSocket(): void {
    const { target, request, donors, donor, what, sockets, memory, known, list, get } = this.#options;
    const guard = new ReplayGuard({
      request,
      memory,
      known,
      list,
      get,
      opened: () => {
        this.#attempt.worked();
        this.#opened('WEBSOCKET');
      },
      event: (event) => this.#event(event),
      failed: (error) => this.#failed(error),
    });
    let socket: AggregatedSocket | undefined;
    this.#guard = guard;
    const order = {
      target,
      request,
      donors,
      donor,
      what,
      listener: {
        accepted: () => guard.accepted(),
        event: (event: WatchEvent) => guard.event(event),
        alive: () => {
          if (this.#isOpened && !this.#isOver) this.#options.listener.alive?.();
        },
        ended: (end: SocketEnd) => this.#leftSocket(end, guard, socket),
        orphaned: () => this.#options.orphaned(),
      },
    };
    const riding = sockets.watch(order);
    socket = riding.socket;
    this.#handle = riding;
  }

  #leftSocket({ end, blame }: SocketEnd, guard: ReplayGuard, socket: AggregatedSocket | undefined): void {
    if (this.#isOver) return;
    guard.close();
    const { donor, chooser, what } = this.#options;
    const refusal = end.kind === 'failed' && isRefusal(end.error);
    const isOwnSocket = socket === undefined || sameCredentials(socket.lender, donor.credentials);
    const isAtFault = isTransportAtFault({ end, blame });
    if (isAtFault) this.#attempt.failed();
    if (refusal && !isOwnSocket) {
      // It was the lender who was refused, and the lender is no donor of ours: our own has not been asked.
      if (blame === 'watch') socket.noteRefusal(what);
      if (this.#isOpened) {
        this.#ended({ kind: 'clean' });
        return;
      }
      if (!isAtFault || !chooser.hasFallback) {
        this.#guarded(() => this.#goOverSocket());
        return;
      }
    }
    if (isAtFault && chooser.hasFallback && !this.#isOpened) {
      this.#guarded(() => this.#goOverHttp());
      return;
    }
    this.#ended(end);
  }

  #guarded(start: () => void): void {
    try {
      start();
    } catch (error) {
      this.#failed(error);
    }
  }

  #opened(transport: 'WEBSOCKET' | 'HTTP_STREAM'): void {
    if (this.#isOver) return;
    this.#isOpened = true;
    this.#options.listener.opened(transport);
  }

  #event(event: WatchEvent): void {
    if (this.#isOver) return;
    this.#options.known.event(event);
    this.#options.listener.event(event);
  }

  #failed(cause: unknown): void {
    const error =
      cause instanceof UpstreamError
        ? cause
        : new UpstreamError('malformed', 'The watch could not be started.', { cause });
    this.#ended({ kind: 'failed', error });
  }

  #ended(end: WatchEnd): void {
    if (this.#isOver) return;
    this.#over();
    this.#attempt.abandoned();
    this.#options.listener.ended(end);
  }

  #over(): void {
    this.#isOver = true;
    this.#guard?.close();
    this.#handle?.close();
  }
}

/** Would HTTP do better? Not when the same request failed over HTTP already, and not against the agent or the cluster. */
function isTransportAtFault({ end, blame }: SocketEnd): boolean {
  if (end.kind === 'clean') return blame === 'socket';
  switch (blame) {
    case 'watch':
    case 'politeClose':
      return false;
    case 'token':
      return !['unreachable', 'torn', 'timeout', 'agentNotConnected'].includes(end.error.failure);
    case 'upgrade':
      return end.error.failure !== 'agentNotConnected';
    case 'socket':
      return true;
    default:
      return blame satisfies never;
  }
}
