import type { Clock, Timer } from '../../clock.ts';
import type { Transport } from '../status.ts';
import { isRefusal, UpstreamError } from '../upstream-error.ts';
import type { Upstream, WatchEnd, WatchEvent, WatchHandle } from '../upstream.ts';

/** Seconds after which the server is asked to end the stream: random, so that streams do not end together. */
export const WATCH_SECONDS = { least: 240, most: 290 };
/** How long past that the stream may live on. */
export const OVERTIME_MS = 10_000;
/** Some proxies hold the response's head back until there is an event: slow is not broken. */
export const OPENING_MS = 120_000;
/**
 * Silence that raises suspicion. API servers send a bookmark about once a minute; of a quiet collection, after their
 * start, only after two.
 */
export const SILENCE_MS = 124_000;
export const SILENCE_JITTER_MS = 3_000;
/** A renewal that failed is tried again after this, or when the server says. */
export const RENEWAL_RETRY_MS = 10_000;

export interface SessionListener {
  opened(transport: Transport): void;
  event(event: WatchEvent): void;
  /** Silent for too long, or gone while another is being opened: nothing can be vouched for until one of them is heard. */
  suspected(): void;
}

export interface SessionOutcome {
  /**
   * `deadline`: the stream lived past its time and was closed by us. `silent`: neither it nor the one that took its
   * place has said anything, though both were accepted.
   */
  readonly end: WatchEnd | { readonly kind: 'deadline' | 'silent' };
  /** Whether the server ever accepted it. */
  readonly opened: boolean;
  /** Milliseconds since it was first opened; 0 if it never was. */
  readonly livedMs: number;
  /** Events and bookmarks received. */
  readonly events: number;
  /** The last version seen. */
  readonly resourceVersion: string;
  /** Milliseconds that the server still wants to be left alone, as it told a renewal. */
  readonly patienceMs: number;
}

interface Stream {
  handle: WatchHandle | undefined;
  deadline: Timer | undefined;
}

interface Run {
  conclude(outcome: SessionOutcome): void;
  /** Something threw that must not. */
  fail(error: unknown): void;
}

/**
 * A watch from some resourceVersion until it ends, kept alive meanwhile: when it falls silent, or its donor
 * changes, a second stream is opened beside it from the last version seen, and takes over when it opens. So
 * there are two streams for a moment, but never none.
 */
export class WatchSession {
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #listener: SessionListener;
  readonly #resourceVersion: () => string;
  /** Undefined before it runs and after it has ended. */
  #run: Run | undefined;
  #primary: Stream | undefined;
  /** Opened beside the primary, and not accepted yet: then it becomes the primary. */
  #hedge: Stream | undefined;
  #isDoubted = false;
  #isRenewalDue = false;
  /** No stream is opened before this: monotonic milliseconds. */
  #notBefore = 0;
  #retry: Timer | undefined;
  #silence: Timer | undefined;
  /** Silent times since the last event. */
  #silences = 0;
  #openedAt: number | undefined;
  #events = 0;

  /** `resourceVersion`: the last one seen, at any moment. */
  constructor(upstream: Upstream, clock: Clock, resourceVersion: () => string, listener: SessionListener) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#resourceVersion = resourceVersion;
    this.#listener = listener;
  }

  /** Resolves when the session has ended by itself; rejects with the signal's reason, or with what a listener threw. */
  run(signal: AbortSignal): Promise<SessionOutcome> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const over = () => {
        this.#run = undefined;
        signal.removeEventListener('abort', abort);
        this.#closeAll();
      };
      const fail = (error: unknown) => {
        over();
        reject(error);
      };
      const abort = () => fail(signal.reason);
      const conclude = (outcome: SessionOutcome) => {
        over();
        resolve(outcome);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#run = { conclude, fail };
      this.#safely(() => {
        this.#primary = { handle: undefined, deadline: undefined };
        this.#start(this.#primary);
      });
    });
  }

  /** Opens a stream with the current donor, and then closes the present one. */
  renew(): void {
    this.#safely(() => {
      this.#isRenewalDue = true;
      this.#dismissHedge(); // it may have been opened with the donor before
      this.#openHedge();
    });
  }

  #openHedge(): void {
    if (this.#run === undefined || this.#hedge !== undefined) return;
    this.#retry?.cancel();
    const patience = this.#notBefore - this.#clock.monotonic();
    if (patience > 0) {
      this.#retry = this.#after(patience, () => this.#openHedge());
      return;
    }
    this.#hedge = { handle: undefined, deadline: undefined };
    this.#start(this.#hedge);
  }

  #start(stream: Stream): void {
    const { least, most } = WATCH_SECONDS;
    const timeoutSeconds = least + Math.floor(this.#clock.random() * (most - least + 1));
    const deadlineMs = timeoutSeconds * 1000 + OVERTIME_MS;
    stream.deadline = this.#after(OPENING_MS, () => {
      const error = new UpstreamError('timeout', `The watch was not answered within ${OPENING_MS / 1000} s.`);
      this.#ended(stream, { kind: 'failed', error });
    });
    const handle = this.#upstream.watch(
      { resourceVersion: this.#resourceVersion(), timeoutSeconds },
      {
        opened: (transport) => this.#safely(() => this.#opened(stream, transport, deadlineMs)),
        event: (event) => this.#safely(() => this.#event(stream, event)),
        alive: () => this.#safely(() => this.#alive(stream)),
        ended: (end) => this.#safely(() => this.#ended(stream, end)),
      },
    );
    // The upstream may have ended it, and thereby us, before `watch` returned.
    if (this.#isOurs(stream)) stream.handle = handle;
    else handle.close();
  }

  #opened(stream: Stream, transport: Transport, deadlineMs: number): void {
    if (!this.#isOurs(stream)) return;
    stream.deadline?.cancel();
    stream.deadline = this.#after(deadlineMs, () => this.#ended(stream, { kind: 'deadline' }));
    this.#openedAt ??= this.#clock.monotonic();
    this.#promote(stream);
    this.#heard();
    this.#listener.opened(transport);
  }

  #event(stream: Stream, event: WatchEvent): void {
    if (!this.#isOurs(stream)) return;
    // The first of the two to say something wins: a suspect that speaks is none, a hedge that speaks has the lead.
    if (stream === this.#hedge) this.#promote(stream);
    else if (this.#isDoubted && !this.#isRenewalDue) this.#dismissHedge();
    this.#isDoubted = false;
    this.#silences = 0;
    this.#events += 1;
    this.#heard();
    this.#listener.event(event);
  }

  /** As good as a word from the stream while it is trusted; not enough to refute a doubt. */
  #alive(stream: Stream): void {
    if (stream === this.#primary && !this.#isDoubted) this.#heard();
  }

  #ended(stream: Stream, end: SessionOutcome['end']): void {
    if (!this.#isOurs(stream)) return;
    closeStream(stream);
    if (stream === this.#primary) {
      this.#primary = undefined;
      if (this.#hedge === undefined) this.#finish(end);
      else this.#listener.suspected(); // the hedge decides
      return;
    }
    this.#hedge = undefined;
    if (this.#primary === undefined || this.#isDoubted) this.#finish(end);
    else this.#renewalFailed(end);
  }

  /** The present stream stays as it is. */
  #renewalFailed(end: SessionOutcome['end']): void {
    const error = end.kind === 'failed' ? end.error : undefined;
    if (error !== undefined && isRefusal(error)) {
      if (this.#upstream.hasAnotherIdentity()) this.#openHedge();
      else this.#isRenewalDue = false;
      return;
    }
    const patience = Math.max(RENEWAL_RETRY_MS, error?.retryAfterMs ?? 0);
    this.#notBefore = this.#clock.monotonic() + patience;
    this.#openHedge();
  }

  #promote(stream: Stream): void {
    if (stream !== this.#hedge) return;
    if (this.#primary !== undefined) closeStream(this.#primary);
    this.#primary = stream;
    this.#hedge = undefined;
    this.#retry?.cancel();
    this.#isDoubted = false;
    this.#isRenewalDue = false;
  }

  #heard(): void {
    this.#silence?.cancel();
    const patience = SILENCE_MS + Math.floor(this.#clock.random() * SILENCE_JITTER_MS);
    this.#silence = this.#after(patience, () => this.#doubt());
  }

  /**
   * The first time the stream may be dead. The second time it is the server that is odd: one whose history was
   * rewritten accepts a version from its future and says nothing until it gets there (kubernetes/kubernetes#107457).
   */
  #doubt(): void {
    this.#silences += 1;
    if (this.#silences > 1) {
      this.#finish({ kind: 'silent' });
      return;
    }
    this.#isDoubted = true;
    this.#listener.suspected();
    this.#openHedge();
  }

  #dismissHedge(): void {
    if (this.#hedge !== undefined) closeStream(this.#hedge);
    this.#hedge = undefined;
  }

  #isOurs(stream: Stream): boolean {
    return stream === this.#primary || stream === this.#hedge;
  }

  #finish(end: SessionOutcome['end']): void {
    this.#run?.conclude({
      end,
      opened: this.#openedAt !== undefined,
      livedMs: this.#openedAt === undefined ? 0 : this.#clock.monotonic() - this.#openedAt,
      events: this.#events,
      resourceVersion: this.#resourceVersion(),
      patienceMs: Math.max(0, this.#notBefore - this.#clock.monotonic()),
    });
  }

  #closeAll(): void {
    this.#silence?.cancel();
    this.#retry?.cancel();
    this.#dismissHedge();
    if (this.#primary !== undefined) closeStream(this.#primary);
    this.#primary = undefined;
  }

  #after(milliseconds: number, task: () => void): Timer {
    return this.#clock.after(milliseconds, () => this.#safely(task));
  }

  /**
   * Everything comes in through here, from timers and from the upstream: neither must be hit by what a listener
   * throws, and nothing happens any more once the session has ended.
   */
  #safely(task: () => void): void {
    if (this.#run === undefined) return;
    try {
      task();
    } catch (error) {
      this.#run?.fail(error);
    }
  }
}

function closeStream(stream: Stream): void {
  stream.deadline?.cancel();
  stream.handle?.close();
}
