import type { JsonObject } from './json.ts';
import { expired, failure, tooLargeResourceVersion as tooLarge, type StatusBody } from './status.ts';

/** An answer given instead of the real one. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string> | undefined;
  readonly contentType?: string | undefined;
  readonly body: string | JsonObject;
}

/** What a fault does to a request. Parts combine: a delayed, pretty-printed, byte-wise stream is one effect. */
export interface Effect {
  /** Answers with this instead. */
  readonly respond?: Answer;
  /** Accepts the request and never answers. */
  readonly blackHole?: boolean;
  /** Resets the connection before any answer. */
  readonly reset?: boolean;
  /** Holds the response headers back. */
  readonly delayHeadersMs?: number;
  /** Other content type than the usual one, for example with a parameter. */
  readonly contentType?: string;
  /** Sends the body in HTTP chunks of so many bytes, tearing characters apart. */
  readonly splitBytes?: number;
  /** Resets the connection after so many bytes of the body. */
  readonly cutAfterBytes?: number;
  /** Documents over many lines. */
  readonly pretty?: boolean;
  /** Lines end with CRLF. */
  readonly crlf?: boolean;
  /** Watch: 200, no event, clean end. */
  readonly endAtOnce?: boolean;
  /** Watch: clean end after so many events. */
  readonly endAfterEvents?: number;
  /** Watch: 200, then nothing, for ever. */
  readonly silent?: boolean;
  /** Watch: 200, then this as an ERROR event, then the end. */
  readonly streamError?: StatusBody;
  /** Watch: these bytes once, after so many events (0: at once). */
  readonly insert?: { readonly raw: string | Uint8Array; readonly afterEvents: number };
  /** Watch: begins so many changes too early, so that the client sees them a second time. */
  readonly repeatChanges?: number;
  /** Watch: none, although asked for. */
  readonly noBookmarks?: boolean;
  /** Watch: an old server's answer to `sendInitialEvents`. */
  readonly initialEvents?: 'ignore' | 'refuse' | 'fail';
  /** List: the continue token has expired; an inconsistent one is offered. */
  readonly expireContinue?: boolean;
  /** Log: these bytes, as fast as they are taken, in place of what was printed; then its end. */
  readonly logBytes?: () => Iterator<Uint8Array, void>;
  /** List: answered from a cache that is behind, at this revision. */
  readonly staleRevision?: string;
}

/** Any refusal as a Status object. */
export function respond(code: number, reason = '', message = reason, details?: JsonObject): Effect {
  return { respond: { status: code, body: failure(code, reason, message, details) } };
}

export function respondStatus(status: StatusBody): Effect {
  return { respond: { status: status.code, body: status } };
}

/** The cluster's own 401 (KAS's has another message and the header `Gitlab-Unauthorized`). */
export const unauthorized: Effect = respond(401, 'Unauthorized', 'Unauthorized');
export const forbidden: Effect = respond(403, 'Forbidden', 'forbidden: the request was refused');
export const notFound: Effect = {
  respond: { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' },
};
export const gone: Effect = respondStatus(expired('too old resource version: 1 (2)'));
export const unprocessable: Effect = respond(422, 'Invalid', 'ListOptions.meta.k8s.io "" is invalid');
export const internalError: Effect = respond(
  500,
  'InternalError',
  'Internal error occurred: etcdserver: leader changed',
);
export const badGateway: Effect = respond(502, '', 'bad gateway');
export const unavailable: Effect = respond(
  503,
  'ServiceUnavailable',
  'the server is currently unable to handle the request',
);

/** Priority and fairness, or max-in-flight: plain text, as Kubernetes writes it. */
export function tooManyRequests(retryAfterSeconds: number): Effect {
  return {
    respond: {
      status: 429,
      headers: { 'Retry-After': String(retryAfterSeconds) },
      contentType: 'text/plain; charset=utf-8',
      body: 'Too many requests, please try again later.\n',
    },
  };
}

/** The server's cache is behind the resourceVersion asked for. */
export function tooLargeResourceVersion(retryAfterSeconds = 1): Effect {
  return respondStatus(tooLarge('2', '1', retryAfterSeconds));
}

/** An ERROR event in a watch that was accepted with 200. */
export function errorInStream(status: StatusBody): Effect {
  return { streamError: status };
}

/** The usual in-stream ERROR: the resourceVersion is too old. */
export const goneInStream: Effect = errorInStream(expired('too old resource version: 1 (2)'));
export const internalErrorInStream: Effect = errorInStream(failure(500, 'InternalError', 'etcdserver: leader changed'));

/** A line that is no JSON, after so many events. */
export function malformedLine(afterEvents = 0): Effect {
  return { insert: { raw: '{"type":"MODIFIED","object":{"kind":"Pod",,}}\n', afterEvents } };
}

/** One event too big for any reader's limit: 20 MB unless told. */
export function hugeEvent(bytes = 20_000_000, afterEvents = 0): Effect {
  const head =
    '{"type":"MODIFIED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"huge","annotations":{"a":"';
  return { insert: { raw: `${head}${'x'.repeat(bytes)}"}}}}\n`, afterEvents } };
}
