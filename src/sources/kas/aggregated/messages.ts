import { isRecord, record, text, type JsonRecord } from '../../../kubernetes/json.ts';
import type { WatchTarget } from '../../source.ts';
import { UpstreamError } from '../../upstream-error.ts';
import type { WatchRequest } from '../../upstream.ts';

/**
 * What KAS says on its aggregated watch. `unknown` is everything that a newer KAS may have learned to say.
 * Source: KAS's doc/watch-aggregator-api.md as far as it is known, and GitLab's cluster-client 3.
 */
export type ServerMessage =
  | { readonly kind: 'event'; readonly watchId: string; readonly event: unknown }
  | { readonly kind: 'stop'; readonly watchId: string }
  /** Without a watch ID it concerns the whole connection. `status` is a Kubernetes Status where there is one. */
  | { readonly kind: 'error'; readonly watchId: string | undefined; readonly status: JsonRecord | undefined }
  | { readonly kind: 'unknown' };

/**
 * The request for one watch. KAS decodes with the names of its protobuf files, so these are snake_case at every
 * level, and what is written otherwise is ignored without a word.
 */
export function watchMessage(watchId: string, { resource, namespace }: WatchTarget, request: WatchRequest): string {
  const { group, version, plural } = resource;
  return JSON.stringify({
    type: 'watch',
    watch_id: watchId,
    watch_params: {
      ...(group !== '' && { group }),
      version,
      resource: plural,
      ...(namespace !== undefined && { namespace }),
      resource_version: request.resourceVersion,
      allow_watch_bookmarks: true,
      timeout_seconds: request.timeoutSeconds,
    },
  });
}

export function unwatchMessage(watchId: string): string {
  return JSON.stringify({ type: 'unwatch', watch_id: watchId });
}

/**
 * Reads a message, in camelCase as KAS writes it, or in snake_case as its other direction is spelled. Throws an
 * UpstreamError `malformed` for what is no message at all.
 */
export function parseMessage(data: string): ServerMessage {
  const message = parse(data);
  const watchId = text(either(message, 'watchId', 'watch_id'));
  const watchEvent = either(message, 'watchEvent', 'watch_event');
  switch (kindOf(message, watchEvent)) {
    case 'event':
      if (watchId === '' || !isRecord(watchEvent)) throw malformed('an event without a watch or without content');
      return { kind: 'event', watchId, event: watchEvent };
    case 'stop':
      if (watchId === '') throw malformed('the end of no watch');
      return { kind: 'stop', watchId };
    case 'error':
      return { kind: 'error', watchId: watchId || undefined, status: statusIn(message['error']) };
    default:
      return { kind: 'unknown' };
  }
}

/** By its type; by its content where there is none, as with what came before types did. */
function kindOf(message: JsonRecord, watchEvent: unknown): string {
  const type = text(message['type']);
  if (type !== '') return type;
  if (watchEvent !== undefined) return 'event';
  return message['error'] === undefined ? '' : 'error';
}

/** The Status inside an error, or the error itself if it is one. */
function statusIn(error: unknown): JsonRecord | undefined {
  const { object } = record(error);
  if (isStatus(object)) return object;
  return isStatus(error) ? error : undefined;
}

function isStatus(value: unknown): value is JsonRecord {
  return isRecord(value) && (value['kind'] === 'Status' || typeof value['code'] === 'number');
}

function either(message: JsonRecord, camelCase: string, snakeCase: string): unknown {
  return message[camelCase] ?? message[snakeCase];
}

function parse(data: string): JsonRecord {
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch (cause) {
    throw malformed('something that is not JSON', cause);
  }
  if (!isRecord(message)) throw malformed('something that is no message');
  return message;
}

function malformed(what: string, cause?: unknown): UpstreamError {
  return new UpstreamError('malformed', `The aggregated watch sent ${what}.`, { hop: 'kas', cause });
}
