import type { Clock } from '../../clock.ts';
import type { Sink } from '../sink.ts';
import { hops, type ConnectionState, type HopName, type ReflectorStatus, type Transport } from '../status.ts';
import type { UpstreamError } from '../upstream-error.ts';

/**
 * Says how a watch is, truthfully: CONNECTED from the moment a complete list is followed by an accepted watch,
 * until that watch ends, fails or falls silent; DISCONNECTED from a failure until something works again.
 */
export class StatusReporter {
  readonly #sink: Sink;
  readonly #clock: Clock;
  readonly #way: readonly HopName[];
  #status: ReflectorStatus;
  #fault: UpstreamError | undefined;

  constructor(sink: Sink, clock: Clock, way: readonly HopName[]) {
    this.#sink = sink;
    this.#clock = clock;
    this.#way = way;
    const since = clock.now();
    this.#status = {
      state: 'CONNECTING',
      since,
      error: undefined,
      final: false,
      attempts: 0,
      nextRetryAt: undefined,
      transport: undefined,
      hops: hops(way, 'CONNECTING', since, undefined),
    };
  }

  get state(): ConnectionState {
    return this.#status.state;
  }

  connected(transport: Transport): void {
    this.#fault = undefined;
    this.#report('CONNECTED', { transport, attempts: 0 });
  }

  /** Something came over the stream: if there was a suspicion, it is refuted. */
  heard(): void {
    if (this.#status.state !== 'CONNECTED') this.#report('CONNECTED', { attempts: 0 });
  }

  listed(): void {
    this.#fault = undefined;
    this.#report('CONNECTING', {});
  }

  resuming(): void {
    this.#report('CONNECTING', {});
  }

  suspected(): void {
    this.#report('CONNECTING', {});
  }

  /** A list or watch has failed. An expired version is routine: the next list repairs it. */
  failed(error: UpstreamError): void {
    this.#fault = error.failure === 'expired' ? undefined : error;
    const state = this.#fault === undefined ? 'CONNECTING' : 'DISCONNECTED';
    this.#report(state, { attempts: this.#status.attempts + 1 });
  }

  waiting(nextRetryAt: number): void {
    this.#report(this.#status.state, { nextRetryAt });
  }

  halted(nextRetryAt: number): void {
    this.#report('DISCONNECTED', { nextRetryAt, final: true });
  }

  #report(
    state: ConnectionState,
    change: Partial<Pick<ReflectorStatus, 'transport' | 'attempts' | 'nextRetryAt' | 'final'>>,
  ): void {
    const previous = this.#status;
    const since = state === previous.state ? previous.since : this.#clock.now();
    const fault = this.#fault;
    this.#status = {
      state,
      since,
      error: fault,
      final: change.final ?? false,
      attempts: change.attempts ?? previous.attempts,
      nextRetryAt: change.nextRetryAt,
      transport: change.transport ?? previous.transport,
      hops: hops(this.#way, state, since, fault && { hop: fault.hop, reason: fault.code }),
    };
    this.#sink.report(this.#status);
  }
}
