import { ApiError, type ErrorCode, type UpstreamDetail } from '../errors.ts';
import type { HopName } from './status.ts';

/** What happened upstream, as the reflector distinguishes it (rows of its specification). */
export type UpstreamFailure =
  | 'expired' // 410: the resourceVersion or continue token is too old
  | 'tooLarge' // 504 with cause ResourceVersionTooLarge: the server's cache is behind us
  | 'pageTooLarge' // a list page over our own size cap
  | 'throttled' // 429
  | 'gitlabUnauthorized' // 401 from KAS: GitLab refused the viewer
  | 'unauthorized' // 401 from the cluster
  | 'forbidden' // 403 from the cluster's RBAC
  | 'notFound' // 404
  | 'conflict' // 409, or a failed precondition
  | 'invalid' // 400, 406, 415, 422: the request itself
  | 'agentNotConnected' // KAS has no connection from the agent
  | 'unreachable' // KAS or the cluster behind the agent does not answer
  | 'timeout' // a deadline of ours
  | 'torn' // the connection broke in the middle
  | 'malformed' // the answer was not what the protocol allows
  | 'noIdentity' // nobody is left whose credentials could open the stream
  | 'server'; // any other 5xx

interface Meaning {
  readonly code: ErrorCode;
  readonly hop: HopName;
}

const MEANINGS: Record<UpstreamFailure, Meaning> = {
  expired: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
  tooLarge: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
  pageTooLarge: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
  throttled: { code: 'RATE_LIMITED', hop: 'cluster' },
  gitlabUnauthorized: { code: 'GITLAB_UNAUTHORIZED', hop: 'kas' },
  unauthorized: { code: 'UNAUTHENTICATED', hop: 'cluster' },
  forbidden: { code: 'FORBIDDEN', hop: 'cluster' },
  notFound: { code: 'NOT_FOUND', hop: 'cluster' },
  conflict: { code: 'CONFLICT', hop: 'cluster' },
  invalid: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
  agentNotConnected: { code: 'AGENT_NOT_CONNECTED', hop: 'agent' },
  unreachable: { code: 'AGENT_UNREACHABLE', hop: 'kas' },
  timeout: { code: 'UPSTREAM_TIMEOUT', hop: 'agent' },
  torn: { code: 'AGENT_UNREACHABLE', hop: 'agent' },
  malformed: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
  noIdentity: { code: 'UNAUTHENTICATED', hop: 'server' },
  server: { code: 'UPSTREAM_ERROR', hop: 'cluster' },
};

export interface UpstreamErrorOptions {
  readonly hop?: HopName;
  /** The server's own wish (Retry-After, retryAfterSeconds), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly upstream?: UpstreamDetail;
  readonly cause?: unknown;
  readonly remedy?: string;
}

/** A failure on the way to the cluster or in it, already classified and free of upstream bodies. */
export class UpstreamError extends ApiError {
  override readonly name = 'UpstreamError';
  readonly failure: UpstreamFailure;
  readonly hop: HopName;
  readonly retryAfterMs: number | undefined;

  constructor(failure: UpstreamFailure, message: string, options: UpstreamErrorOptions = {}) {
    const { code, hop } = MEANINGS[failure];
    super(code, message, {
      ...(options.upstream && { upstream: options.upstream }),
      ...(options.cause !== undefined && { cause: options.cause }),
      ...(options.remedy !== undefined && { remedy: options.remedy }),
    });
    this.failure = failure;
    this.hop = options.hop ?? hop;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Those whose credentials were used may not do this, or nobody was there to use them. The way itself is fine. */
export function isRefusal({ failure }: UpstreamError): boolean {
  return (
    failure === 'gitlabUnauthorized' ||
    failure === 'unauthorized' ||
    failure === 'forbidden' ||
    failure === 'noIdentity'
  );
}

/** There is no way to the agent at all; this one request has nothing to do with it. */
export function isAgentAway({ failure }: UpstreamError): boolean {
  return failure === 'agentNotConnected' || failure === 'unreachable';
}

/** The request could not be brought to an end, for reasons that may pass; it says nothing about the request itself. */
export function isWayBroken(error: unknown): error is UpstreamError {
  return (
    error instanceof UpstreamError && (isAgentAway(error) || error.failure === 'timeout' || error.failure === 'torn')
  );
}

/** It was asked, and nobody was refused: there is no answer, for reasons of the way or of who should have answered. */
export function isUnanswered(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && !isRefusal(error);
}
