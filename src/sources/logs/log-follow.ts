import type { Clock, Timer } from '../../clock.ts';
import { inTrace } from '../../tracing/tracing.ts';
import { Backoff } from '../reflector/backoff.ts';
import type { Donor, Donors } from '../source.ts';
import { isRefusal, UpstreamError } from '../upstream-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { LogPosition } from './log-position.ts';
import type { LogFollowing, LogHandle, LogListener, LogRequest, LogSink } from './log-source.ts';

/** A stream that ends cleanly after so long, in milliseconds, may have met a limit on its life rather than its log's end. */
export const LIFETIME_MS = 30 * 60_000;
/** How long a request may go unanswered, in milliseconds: KAS itself looks for the agent for 20 s. */
export const ANSWER_MS = 30_000;
/** After so long without a byte a stream is opened anew, in milliseconds: most logs are quiet, and some streams dead. */
export const SILENCE_MS = 10 * 60_000;

export interface LogFollowOptions {
  readonly donors: Donors;
  readonly sink: LogSink;
  readonly clock: Clock;
  /** How much of the past to begin with. */
  readonly tailLines: number;
  readonly open: (donor: Donor, request: LogRequest, listener: LogListener) => LogHandle;
}

/**
 * Follows one container's log for everybody who looks at it, with the credentials of one of them. Whatever cuts the
 * stream (a broken connection, a donor who has left), the next one begins a little before the last line and is joined
 * on without a gap and without a line twice.
 */
export class LogFollow implements LogFollowing {
  readonly #options: LogFollowOptions;
  readonly #position = new LogPosition();
  readonly #backoff: Backoff;
  #stream: LogHandle | undefined;
  #retry: Timer | undefined;
  /** Runs while there is a stream: until it is answered, then as long as it is silent. */
  #patience: Timer | undefined;
  #heardAt = 0;
  #stopped = false;

  constructor(options: LogFollowOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
  }

  start(): void {
    this.#open();
  }

  renew(): void {
    if (!this.#stopped) this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  #open(): void {
    this.#close();
    const { donors, sink, clock, open } = this.#options;
    const donor = donors.current();
    if (donor === undefined) {
      sink.troubled(new UpstreamError('noIdentity', 'Nobody is here whose credentials could open the log.'));
      return; // whoever comes next renews
    }
    const splitter = new LineSplitter();
    const isNew = this.#position.isAfter();
    const openedAt = clock.monotonic();
    const listener: LogListener = {
      opened: () => {
        this.#heardAt = clock.monotonic();
        this.#awaitSilence(SILENCE_MS);
        sink.flowing();
      },
      data: (chunk) => {
        this.#heardAt = clock.monotonic();
        this.#backoff.reset();
        this.#read(splitter.push(chunk).filter(isNew));
      },
      ended: (error) => {
        this.#patience?.cancel();
        this.#stream = undefined;
        if (error !== undefined) {
          this.#failed(donor, error); // a line that was torn comes again
          return;
        }
        this.#read(splitter.end().filter(isNew));
        if (clock.monotonic() - openedAt >= LIFETIME_MS) this.#open();
        else this.#finish(undefined);
      },
    };
    this.#patience = clock.after(ANSWER_MS, () => {
      this.#close();
      this.#failed(donor, new UpstreamError('timeout', `The log was not answered within ${ANSWER_MS / 1_000} s.`));
    });
    // It is everybody's: the trace of whoever came first ends before it.
    this.#stream = inTrace(undefined, () => open(donor, this.#request(), listener));
  }

  /** One timer for all that is heard, rather than one a chunk. Nobody is told: if the stream was dead, the next one says so. */
  #awaitSilence(milliseconds: number): void {
    const { clock } = this.#options;
    this.#patience?.cancel();
    this.#patience = clock.after(milliseconds, () => {
      const rest = this.#heardAt + SILENCE_MS - clock.monotonic();
      if (rest > 0) this.#awaitSilence(rest);
      else this.#open();
    });
  }

  #request(): LogRequest {
    const { timestamp } = this.#position;
    if (timestamp === undefined) return { follow: true, tailLines: this.#options.tailLines };
    // By the second, as the API server passes it on: what is read twice is recognised.
    return { follow: true, sinceTime: timestamp.replace(/\.\d+/, '') };
  }

  #read(lines: ReturnType<LineSplitter['push']>): void {
    if (lines.length === 0) return;
    for (const line of lines) this.#position.advance(line);
    this.#options.sink.lines(lines);
  }

  #failed(donor: Donor, error: UpstreamError): void {
    const { donors, sink, clock } = this.#options;
    if (error.failure === 'notFound') {
      this.#finish(error);
      return;
    }
    if (isRefusal(error)) {
      donors.refused(donor, error);
      // Whoever is told may have let go of everything: then there is nothing to open.
      if (!this.#stopped && this.#stream === undefined) this.#open();
      return;
    }
    sink.troubled(error);
    this.#retry = clock.after(this.#backoff.next(error.retryAfterMs), () => this.#open());
  }

  #finish(error: UpstreamError | undefined): void {
    this.#stopped = true;
    this.#close();
    this.#options.sink.ended(error);
  }

  #close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#stream?.close();
    this.#stream = undefined;
  }
}
