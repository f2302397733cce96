import type { UpstreamError } from '../upstream-error.ts';
import type { LogLine } from './log-line.ts';

/** The log of one container. */
export interface LogTarget {
  readonly agentId: string;
  readonly namespace: string;
  readonly pod: string;
  /** '' when the pod has only one. */
  readonly container: string;
}

/** What is asked of a cluster; always with times. */
export interface LogRequest {
  readonly follow: boolean;
  /** Of the run of the container before this one. */
  readonly previous?: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  /** RFC 3339. */
  readonly sinceTime?: string | undefined;
}

export interface LogListener {
  /** The cluster has accepted the request. */
  opened(): void;
  data(chunk: Buffer): void;
  /** Exactly once, unless it was closed before. Undefined: the log is over. */
  ended(error: UpstreamError | undefined): void;
}

export interface LogHandle {
  /** Ends it. The listener is not called again. */
  close(): void;
}

/** Where a shared follow puts what it reads. Calls are synchronous and in the order of the log. */
export interface LogSink {
  lines(lines: readonly LogLine[]): void;
  /** It flows, again. */
  flowing(): void;
  /** It does not flow; it is tried again. */
  troubled(error: UpstreamError): void;
  /** There is nothing more to come. */
  ended(error: UpstreamError | undefined): void;
}

/** A follow at work. */
export interface LogFollowing {
  /** The donors have changed: go on with the current one. */
  renew(): void;
  /** Ends it. The sink is not called again. */
  stop(): void;
}
