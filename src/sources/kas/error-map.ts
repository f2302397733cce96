import { isRecord, record, text } from '../../kubernetes/json.ts';
import type { UpstreamDetail } from '../../errors.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream-error.ts';
import type { HopName } from '../status.ts';

/** What is known of a refusal: an HTTP answer, or the Status object of an ERROR event in a watch. */
export interface Refusal {
  readonly code: number;
  /** The body or event object, parsed if it was JSON. */
  readonly status: unknown;
  readonly gitlabUnauthorized: boolean;
  /** The value of Retry-After. */
  readonly retryAfter: string | undefined;
  readonly nowMs: number;
}

interface Classified {
  readonly failure: UpstreamFailure;
  readonly message: string;
  readonly hop?: HopName;
}

const KAS_PREFIX = 'GitLab Agent Server: ';

/**
 * Classifies a refusal. `what` completes "… refused", e.g. 'list pods in namespace "shop"'. Upstream texts are read
 * but never passed on, except for the reason and KAS's trace ID.
 */
export function refusalError(refusal: Refusal, what: string): UpstreamError {
  const status = record(refusal.status);
  const { failure, message, hop } = classify(refusal, status, what);
  const retryAfterMs = retryAfter(refusal, status);
  return new UpstreamError(failure, message, {
    ...(hop && { hop }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    upstream: detail(refusal, status),
  });
}

function classify(refusal: Refusal, status: Readonly<Record<string, unknown>>, what: string): Classified {
  const kasText = text(status['message']);
  const fromKas = kasText.startsWith(KAS_PREFIX);
  switch (refusal.code) {
    case 400:
    case 405:
    case 406:
    case 415:
    case 422:
      return { failure: 'invalid', message: `The request to ${what} was refused as invalid (${refusal.code}).` };
    case 401:
      if (refusal.gitlabUnauthorized) {
        return { failure: 'gitlabUnauthorized', message: 'GitLab did not accept the credentials for this agent.' };
      }
      return { failure: 'unauthorized', message: 'The cluster did not accept the credentials.' };
    case 403:
      return { failure: 'forbidden', message: `You may not ${what}.` };
    case 404:
      return { failure: 'notFound', message: `There is nothing to ${what}.` };
    case 409:
      return { failure: 'conflict', message: `The request to ${what} met a conflict.` };
    case 410:
      return { failure: 'expired', message: 'The version asked for is no longer in the history of the cluster.' };
    case 429:
      return { failure: 'throttled', message: 'The cluster asks for fewer requests.' };
    case 502:
      if (/agent connection not found/i.test(kasText)) {
        return { failure: 'agentNotConnected', message: 'The agent is not connected to GitLab.' };
      }
      return {
        failure: 'unreachable',
        message: fromKas ? 'The agent could not reach the cluster.' : 'GitLab Agent Server could not be reached.',
        hop: fromKas ? 'cluster' : 'kas',
      };
    case 503:
      return {
        failure: 'unreachable',
        message: 'The cluster is not ready to answer.',
        hop: fromKas ? 'kas' : 'cluster',
      };
    case 504:
      if (isTooLarge(status)) return { failure: 'tooLarge', message: 'The server is behind the state we know.' };
      return { failure: 'timeout', message: `The request to ${what} took the cluster too long.`, hop: 'cluster' };
    default:
      return {
        failure: 'server',
        message: `The request to ${what} failed with status ${refusal.code}.`,
        hop: fromKas ? 'kas' : 'cluster',
      };
  }
}

/** By its cause; by its text for API servers before 1.18.6. */
function isTooLarge(status: Readonly<Record<string, unknown>>): boolean {
  const { causes } = record(status['details']);
  const named = Array.isArray(causes) && causes.some((cause) => record(cause)['reason'] === 'ResourceVersionTooLarge');
  return named || text(status['message']).includes('Too large resource version');
}

/** Milliseconds: from the header (seconds, or a date), else from the Status. */
function retryAfter(refusal: Refusal, status: Readonly<Record<string, unknown>>): number | undefined {
  const header = refusal.retryAfter?.trim();
  if (header !== undefined && /^\d{1,6}$/.test(header)) return Number(header) * 1000;
  if (header !== undefined) {
    const date = Date.parse(header);
    if (Number.isFinite(date)) return Math.max(0, date - refusal.nowMs);
  }
  const seconds = record(status['details'])['retryAfterSeconds'];
  return typeof seconds === 'number' && seconds >= 0 && seconds < 1e6 ? seconds * 1000 : undefined;
}

function detail(refusal: Refusal, status: Readonly<Record<string, unknown>>): UpstreamDetail {
  const reason = text(status['reason']);
  const traceId = /Trace ID: ([\w-]{1,64})/.exec(text(status['message']))?.[1];
  return {
    status: refusal.code,
    ...(/^[A-Za-z]{1,64}$/.test(reason) && { reason }),
    ...(traceId !== undefined && { traceId }),
  };
}

/** A failure to get any answer: connection, DNS, TLS, or a cut in the middle. */
export function connectionError(cause: unknown): UpstreamError {
  const code = errorCode(cause);
  if (
    code === 'UND_ERR_SOCKET' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  ) {
    return new UpstreamError('torn', 'The connection to GitLab Agent Server broke.', { cause });
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new UpstreamError('timeout', 'GitLab Agent Server did not answer in time.', { cause, hop: 'kas' });
  }
  return new UpstreamError('unreachable', `GitLab Agent Server cannot be reached (${code ?? 'no answer'}).`, {
    cause,
    hop: 'kas',
  });
}

function errorCode(error: unknown): string | undefined {
  for (let current = error; isRecord(current) || current instanceof Error;) {
    const { code, cause } = current as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^[A-Z_0-9]+$/.test(code)) return code;
    current = cause;
  }
  return undefined;
}

/** How a WebSocket of KAS's was closed. The texts of close frames are not passed on. `clean`: politely, to be had again. */
export function closeError(code: number): UpstreamError | 'clean' {
  const error = (failure: UpstreamFailure, what: string) =>
    new UpstreamError(failure, `The aggregated watch ${what} (${code}).`, { hop: 'kas' });
  switch (code) {
    case 1000: // done
    case 1001: // going away: KAS is being replaced, or hands us to another of its replicas
    case 1012: // restarting
      return 'clean';
    case 1002:
    case 1003:
    case 1007:
    case 1009:
      return error('malformed', 'broke the rules of the protocol, or was said to');
    case 1011:
      return error('server', 'was ended by a failure of GitLab Agent Server');
    case 1013:
      return error('unreachable', 'was ended because GitLab Agent Server has too much to do');
    default:
      return error('torn', 'was cut');
  }
}
