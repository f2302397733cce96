/** What went wrong, as the public contract names it (`extensions.code`). */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'GITLAB_UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'BAD_USER_INPUT'
  | 'AGENT_NOT_CONNECTED'
  | 'AGENT_UNREACHABLE'
  | 'UPSTREAM_ERROR'
  | 'UPSTREAM_TIMEOUT'
  | 'RATE_LIMITED'
  | 'LIMIT_EXCEEDED'
  | 'ACCESS_REVOKED'
  | 'REFUSED';

/** Where the failure was seen upstream, without any upstream text that could carry secrets. */
export interface UpstreamDetail {
  readonly status?: number;
  readonly reason?: string;
  readonly traceId?: string;
}

export interface ApiErrorOptions {
  readonly retryable?: boolean;
  readonly remedy?: string;
  readonly upstream?: UpstreamDetail;
  readonly cause?: unknown;
}

const DEFAULTS: Record<ErrorCode, { retryable: boolean; remedy: string }> = {
  UNAUTHENTICATED: {
    retryable: false,
    remedy:
      'Send "Authorization: Bearer <GitLab token with scope k8s_proxy>", or the _gitlab_kas cookie with X-CSRF-Token.',
  },
  GITLAB_UNAUTHORIZED: {
    retryable: false,
    remedy:
      'Check that the token is valid, and that the agent shares access with you (user_access in its configuration).',
  },
  FORBIDDEN: { retryable: false, remedy: 'Ask the owner of the cluster for the right that is named in the message.' },
  NOT_FOUND: { retryable: false, remedy: 'Check the name, the namespace and the agent.' },
  CONFLICT: { retryable: true, remedy: 'The object changed in the meantime: look at its current state and try again.' },
  BAD_USER_INPUT: { retryable: false, remedy: 'Correct the argument that is named in the message.' },
  AGENT_NOT_CONNECTED: {
    retryable: true,
    remedy: 'Check that agentk runs in the cluster and can reach GitLab; the connection comes back by itself.',
  },
  AGENT_UNREACHABLE: {
    retryable: true,
    remedy: 'Check that KAS and the cluster behind the agent answer; try again later.',
  },
  UPSTREAM_ERROR: { retryable: true, remedy: 'Try again; if it stays, look up the trace ID in the logs of KAS.' },
  UPSTREAM_TIMEOUT: { retryable: true, remedy: 'Try again; the cluster or the way to it is slow.' },
  RATE_LIMITED: { retryable: true, remedy: 'Wait a little, then try again.' },
  LIMIT_EXCEEDED: {
    retryable: false,
    remedy: 'Use less of what the message names, or ask the operator for a higher limit.',
  },
  ACCESS_REVOKED: { retryable: false, remedy: 'Your right to see this was withdrawn. Ask the owner of the cluster.' },
  REFUSED: { retryable: false, remedy: 'The action would do nothing as things are; the message says why.' },
};

/** All of them, and the one that a defect is shown as. */
export const ERROR_CODES = [...(Object.keys(DEFAULTS) as ErrorCode[]), 'INTERNAL'] as const;

/**
 * An error meant for the user: it has a code, says whether trying again can help and what to do about it.
 * Its message never contains credentials or upstream bodies. Anything thrown that is not one of these is a
 * defect and reaches the user masked.
 */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly remedy: string;
  readonly upstream: UpstreamDetail | undefined;

  constructor(code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? DEFAULTS[code].retryable;
    this.remedy = options.remedy ?? DEFAULTS[code].remedy;
    this.upstream = options.upstream;
  }
}

/** Shorthand for a refused argument: `argument` is its GraphQL name, `expected` completes "must be …". */
export function badInput(argument: string, expected: string): ApiError {
  return new ApiError('BAD_USER_INPUT', `${argument} must be ${expected}.`);
}
