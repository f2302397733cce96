import { isRecord, record, text } from '../../kubernetes/json.ts';
import type { UpstreamDetail } from '../../errors.ts';
import type { HopName } from '../status.ts';
import { UpstreamError, type UpstreamFailure } from '../upstream-error.ts';
import type { Peer } from './peer.ts';

/** What is known of a refusal: an HTTP answer, or the Status object of an ERROR event in a watch. */
export interface Refusal {
  readonly code: number;
  /** The body or event object, parsed if it was JSON. */
  readonly status: unknown;
  /** It is GitLab's own word, said where no cluster could have written it: it ends what comes from other agents, too. */
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

/** The longest that anybody who answers may ask us to wait. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;

const KAS_PREFIX = 'GitLab Agent Server: ';

/**
 * Classifies a refusal. `what` completes "… refused", e.g. 'list pods in namespace "shop"'. Upstream texts are read
 * but never passed on, except for the reason and KAS's trace ID.
 */
export function refusalError(refusal: Refusal, what: string, peer: Peer): UpstreamError {
  const status = record(refusal.status);
  const { failure, message, hop } = classify(refusal, status, what, peer);
  const retryAfterMs = retryAfter(refusal, status);
  return new UpstreamError(failure, message, {
    ...(hop && { hop }),
    ...remedyFor(failure, peer),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    upstream: detail(refusal, status),
  });
}

function classify(refusal: Refusal, status: Readonly<Record<string, unknown>>, what: string, peer: Peer): Classified {
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
      return { failure: 'forbidden', message: `You may not ${what}.`, ...(fromKas && { hop: 'kas' }) };
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
        message: fromKas ? 'The agent could not reach the cluster.' : `${peer.name} could not be reached.`,
        hop: fromKas ? 'cluster' : peer.hop,
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

/** Milliseconds; nobody silences an agent for longer than the cap, whatever was asked for. */
function retryAfter(refusal: Refusal, status: Readonly<Record<string, unknown>>): number | undefined {
  const wish = wishedDelay(refusal, status);
  return wish === undefined ? undefined : Math.min(wish, MAX_RETRY_AFTER_MS);
}

/** Milliseconds: from the header (seconds, or a date), else from the Status. */
function wishedDelay(refusal: Refusal, status: Readonly<Record<string, unknown>>): number | undefined {
  const header = refusal.retryAfter?.trim();
  if (header !== undefined && /^\d+$/.test(header)) return Number(header) * 1000;
  if (header !== undefined) {
    const date = Date.parse(header);
    if (Number.isFinite(date)) return Math.max(0, date - refusal.nowMs);
  }
  const seconds = record(status['details'])['retryAfterSeconds'];
  return typeof seconds === 'number' && seconds >= 0 ? seconds * 1000 : undefined;
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
export function connectionError(cause: unknown, peer: Peer): UpstreamError {
  const code = errorCode(cause);
  const { name, hop } = peer;
  if (
    code === 'UND_ERR_SOCKET' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  ) {
    return new UpstreamError('torn', `The connection to ${inASentence(name)} broke.`, {
      cause,
      ...remedyFor('torn', peer),
    });
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new UpstreamError('timeout', `${name} did not answer in time.`, { cause, hop });
  }
  return new UpstreamError('unreachable', `${name} cannot be reached (${code ?? 'no answer'}).`, {
    cause,
    hop,
    ...remedyFor('unreachable', peer),
  });
}

function inASentence(name: string): string {
  return name.replace(/^The /, 'the ');
}

function remedyFor(failure: UpstreamFailure, { remedies }: Peer): { readonly remedy?: string } {
  const remedy = remedies[failure];
  return remedy === undefined ? {} : { remedy };
}

function errorCode(error: unknown): string | undefined {
  for (let current = error; isRecord(current) || current instanceof Error;) {
    const { code, cause } = current as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^[A-Z_0-9]+$/.test(code)) return code;
    current = cause;
  }
  return undefined;
}
