import type { Clock, Timer } from '../../clock.ts';
import type { Transport } from '../status.ts';

/** After the WebSocket has failed, it is tried again after this long, then at growing intervals. Milliseconds. */
export const PROBE_BASE_MS = 30_000;
export const PROBE_CAP_MS = 10 * 60_000;
/** A WebSocket that served for this long was a good one: its failure counts as the first. */
export const GOOD_SOCKET_MS = 10 * 60_000;

export type TransportMode = 'auto' | 'websocket' | 'http';

/** Leave to open one watch on a transport. What is said of it first counts. */
export interface Attempt {
  readonly transport: Transport;
  /** The watch was accepted. */
  worked(): void;
  /** The WebSocket could not be had, or broke. */
  failed(): void;
  /** It was given up before there was a result. */
  abandoned(): void;
}

/** A collection whose watch may have to move. */
export interface Mover {
  /** Opens its stream anew, and then closes the old one. */
  renew(): void;
  isOnHttp(): boolean;
}

/**
 * websocket: what every watch uses.
 * http: it has failed; watches go over HTTP until the next probe is due.
 * probeDue: the next watch, which is asked for at once, goes over the WebSocket.
 * probing: one watch tries; all others stay where they are.
 */
type State = 'websocket' | 'http' | 'probeDue' | 'probing';

/**
 * Which transport the watches of one scope use. With `auto`: the WebSocket, until it fails; HTTP streams from then on,
 * while one watch at a time tries whether the WebSocket works again; when it does, all of them move back. Tries become
 * rare when they fail, or when what worked breaks again soon, so that nothing moves to and fro.
 */
export class TransportChooser {
  readonly #mode: TransportMode;
  readonly #clock: Clock;
  readonly #movers = new Set<Mover>();
  #state: State = 'websocket';
  /** Attempts of an earlier time have no say. */
  #era = 0;
  #failures = 0;
  #workingSince: number | undefined;
  #probe: Timer | undefined;

  constructor(mode: TransportMode, clock: Clock) {
    this.#mode = mode;
    this.#clock = clock;
  }

  /** Whether HTTP can take over what the WebSocket does not carry. */
  get hasFallback(): boolean {
    return this.#mode === 'auto';
  }

  join(mover: Mover): void {
    this.#movers.add(mover);
  }

  leave(mover: Mover): void {
    this.#movers.delete(mover);
    if (this.#movers.size === 0) this.#probe?.cancel();
  }

  next(): Attempt {
    const isProbe = this.#state === 'probeDue';
    if (isProbe) this.#state = 'probing';
    const era = this.#era;
    let isSettled = false;
    const settle = (conclude: () => void) => () => {
      if (isSettled || era !== this.#era || this.#mode !== 'auto') return;
      isSettled = true;
      conclude();
    };
    return {
      transport: this.#mode !== 'http' && (isProbe || this.#state === 'websocket') ? 'WEBSOCKET' : 'HTTP_STREAM',
      worked: settle(() => this.#worked()),
      // A socket may break long after it has worked.
      failed: () => {
        if (era === this.#era && this.#mode === 'auto') this.#failed();
      },
      abandoned: settle(() => {
        if (isProbe) this.#scheduleProbe();
      }),
    };
  }

  #worked(): void {
    this.#workingSince ??= this.#clock.monotonic();
    if (this.#state !== 'probing') return;
    this.#state = 'websocket';
    for (const mover of this.#movers) if (mover.isOnHttp()) mover.renew();
  }

  #failed(): void {
    const workedMs = this.#workingSince === undefined ? 0 : this.#clock.monotonic() - this.#workingSince;
    if (workedMs > GOOD_SOCKET_MS) this.#failures = 0;
    this.#workingSince = undefined;
    this.#failures += 1;
    this.#era += 1;
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    this.#state = 'http';
    const interval = Math.min(PROBE_CAP_MS, PROBE_BASE_MS * 2 ** Math.max(0, this.#failures - 1));
    // Scopes that lost their sockets together come back apart.
    const ms = interval * (0.75 + 0.5 * this.#clock.random());
    this.#probe?.cancel();
    this.#probe = this.#clock.after(ms, () => this.#startProbe());
  }

  #startProbe(): void {
    this.#state = 'probeDue';
    // If none is watching at the moment, the next one that does is the probe.
    const mover = [...this.#movers].find((candidate) => candidate.isOnHttp());
    mover?.renew();
  }
}
