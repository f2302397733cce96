import type { IncomingMessage } from 'node:http';
import { parseTraceparent, type TraceContext } from '../tracing/trace-context.ts';

/** The trace that a client says its request belongs to. */
export function requestTrace({ headers }: IncomingMessage): TraceContext | undefined {
  return parseTraceparent(headers['traceparent']);
}

/** A browser can set no headers on a WebSocket: it says it in the payload of `connection_init`. */
export function socketTrace(
  upgrade: IncomingMessage,
  connectionParams: Readonly<Record<string, unknown>> | undefined,
): TraceContext | undefined {
  return parseTraceparent(connectionParams?.['traceparent']) ?? requestTrace(upgrade);
}
