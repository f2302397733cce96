import type { ApiError } from '../errors.ts';
import type { LogLine } from '../sources/logs/log-line.ts';
import type { LogSink, LogTarget } from '../sources/logs/log-source.ts';
import type { UpstreamError } from '../sources/upstream-error.ts';
import { LogRing } from './log-ring.ts';

export interface LogKey extends LogTarget {
  /** Set where clusters answer each user differently: then a log is one viewer's, and shared by nobody else. */
  readonly identity?: string | undefined;
}

/**
 * One container's log, shared by everyone who may read it: its last lines, and whether more will come. Readers keep a
 * number instead of a queue, so a slow one costs nothing, and is told how many lines it has missed.
 */
export class LogFeed implements LogSink {
  readonly key: LogKey;
  /** From how many lines back it has been followed. */
  readonly tailLines: number;
  readonly ring: LogRing;
  readonly #listeners = new Set<() => void>();
  #trouble: ApiError | undefined;
  #isFlowing = false;
  #isEnded = false;
  #changeDue = false;

  constructor(key: LogKey, tailLines: number, ring = new LogRing()) {
    this.key = key;
    this.tailLines = tailLines;
    this.ring = ring;
  }

  /** What keeps it from flowing at the moment, or what ended it. */
  get trouble(): ApiError | undefined {
    return this.#trouble;
  }

  /** True as soon as anything has come from the cluster. */
  get hasFlowed(): boolean {
    return this.#isFlowing || this.ring.end > 0;
  }

  /** No more lines will come. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Calls `listener` after something has come, at most once a turn of the event loop. Returns how to stop it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- writing (LogSink)

  lines(lines: readonly LogLine[]): void {
    for (const line of lines) this.ring.push(line);
    this.#trouble = undefined;
    this.#changed();
  }

  flowing(): void {
    this.#isFlowing = true;
    this.#trouble = undefined;
    this.#changed();
  }

  troubled(error: UpstreamError): void {
    this.#trouble = error;
    this.#changed();
  }

  ended(error: UpstreamError | undefined): void {
    this.#trouble = error;
    this.#isEnded = true;
    this.#changed();
  }

  #changed(): void {
    if (this.#changeDue) return;
    this.#changeDue = true;
    queueMicrotask(() => {
      this.#changeDue = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
