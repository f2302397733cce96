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
/** Silence that raises suspicion. API servers send a bookmark about once a minute, so it is twice that. */
export const SILENCE_MS = 120_000;
export const SILENCE_JITTER_MS = 5_000;

export interface SessionListener {
  opened(transport: Transport): void;
  event(event: WatchEvent): void;
  /** Nothing has been heard for too long: the stream can not be vouched for until it has been opened anew. */
  suspected(): void;
}

export interface SessionOutcome {
  /** `deadline`: the stream lived past its time and was closed by us. */
  readonly end: WatchEnd | { readonly kind: 'deadline' };
  /** Milliseconds since it was first opened; 0 if it never was. */
  readonly livedMs: number;
  /** Events and bookmarks received. */
  readonly events: number;
}

interface Stream {
  handle: WatchHandle | undefined;
  opened: boolean;
  deadline: Timer | undefined;
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
  #primary: Stream | undefined;
  #hedge: (Stream & { because: 'suspicion' | 'renewal' }) | undefined;
  #silence: Timer | undefined;
  #openedAt: number | undefined;
  #events = 0;
  #conclude: ((outcome: SessionOutcome) => void) | undefined;

  /** `resourceVersion`: the last one seen, at any moment. */
  constructor(upstream: Upstream, clock: Clock, resourceVersion: () => string, listener: SessionListener) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#resourceVersion = resourceVersion;
    this.#listener = listener;
  }

  /** Resolves when the session has ended by itself; rejects with the signal's reason. */
  run(signal: AbortSignal): Promise<SessionOutcome> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#closeAll();
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.#conclude = (outcome) => {
        this.#conclude = undefined;
        signal.removeEventListener('abort', abort);
        this.#closeAll();
        resolve(outcome);
      };
      this.#primary = { handle: undefined, opened: false, deadline: undefined };
      this.#start(this.#primary);
    });
  }

  /** Opens a stream with the current donor, and then closes the present one. */
  renew(): void {
    this.#openHedge('renewal');
  }

  #openHedge(because: 'suspicion' | 'renewal'): void {
    if (this.#conclude === undefined) return;
    if (this.#hedge !== undefined) {
      if (because === 'suspicion') this.#hedge.because = because;
      return;
    }
    this.#hedge = { handle: undefined, opened: false, deadline: undefined, because };
    this.#start(this.#hedge);
  }

  #start(stream: Stream): void {
    const { least, most } = WATCH_SECONDS;
    const timeoutSeconds = least + Math.floor(this.#clock.random() * (most - least + 1));
    const deadlineMs = timeoutSeconds * 1000 + OVERTIME_MS;
    stream.deadline = this.#clock.after(OPENING_MS, () => {
      const error = new UpstreamError('timeout', `The watch was not answered within ${OPENING_MS / 1000} s.`);
      this.#ended(stream, { kind: 'failed', error });
    });
    const handle = this.#upstream.watch(
      { resourceVersion: this.#resourceVersion(), timeoutSeconds },
      {
        opened: (transport) => {
          stream.deadline?.cancel();
          stream.deadline = this.#clock.after(deadlineMs, () => this.#ended(stream, { kind: 'deadline' }));
          this.#opened(stream, transport);
        },
        event: (event) => this.#event(stream, event),
        ended: (end) => this.#ended(stream, end),
      },
    );
    // The upstream may have ended it, and thereby us, before `watch` returned.
    if (stream === this.#primary || stream === this.#hedge) stream.handle = handle;
    else handle.close();
  }

  #opened(stream: Stream, transport: Transport): void {
    if (!this.#isOurs(stream)) return;
    stream.opened = true;
    this.#openedAt ??= this.#clock.monotonic();
    this.#promote(stream);
    this.#heard();
    this.#listener.opened(transport);
  }

  #event(stream: Stream, event: WatchEvent): void {
    if (!this.#isOurs(stream)) return;
    // The first of the two to say something wins: a suspect that speaks is none, a hedge that speaks has the lead.
    if (stream === this.#primary && this.#hedge?.because === 'suspicion') this.#dismissHedge();
    else this.#promote(stream);
    this.#events += 1;
    this.#heard();
    this.#listener.event(event);
  }

  #ended(stream: Stream, end: SessionOutcome['end']): void {
    if (!this.#isOurs(stream)) return;
    closeStream(stream);
    if (stream === this.#primary) {
      this.#primary = undefined;
      if (this.#hedge === undefined) this.#finish(end); // else the hedge decides
      return;
    }
    const because = this.#hedge?.because;
    this.#hedge = undefined;
    if (this.#primary === undefined || because === 'suspicion') this.#finish(end);
    else if (this.#upstream.hasAnotherIdentity() && end.kind === 'failed' && isRefusal(end.error)) this.renew();
    // A renewal that fails for another reason leaves the present stream as it is.
  }

  #promote(stream: Stream): void {
    if (stream !== this.#hedge) return;
    if (this.#primary !== undefined) closeStream(this.#primary);
    this.#primary = stream;
    this.#hedge = undefined;
  }

  #heard(): void {
    this.#silence?.cancel();
    const patience = SILENCE_MS + Math.floor(this.#clock.random() * SILENCE_JITTER_MS);
    this.#silence = this.#clock.after(patience, () => {
      this.#listener.suspected();
      this.#openHedge('suspicion');
    });
  }

  #dismissHedge(): void {
    if (this.#hedge !== undefined) closeStream(this.#hedge);
    this.#hedge = undefined;
  }

  #isOurs(stream: Stream): boolean {
    return stream === this.#primary || stream === this.#hedge;
  }

  #finish(end: SessionOutcome['end']): void {
    const livedMs = this.#openedAt === undefined ? 0 : this.#clock.monotonic() - this.#openedAt;
    this.#conclude?.({ end, livedMs, events: this.#events });
  }

  #closeAll(): void {
    this.#silence?.cancel();
    this.#dismissHedge();
    if (this.#primary !== undefined) closeStream(this.#primary);
    this.#primary = undefined;
  }
}

function closeStream(stream: Stream): void {
  stream.deadline?.cancel();
  stream.handle?.close();
}
