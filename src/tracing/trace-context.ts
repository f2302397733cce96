import { randomBytes } from 'node:crypto';

/** A place in a trace, as W3C Trace Context has it: which trace, and which span of it. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string;
  /** Whether whoever began the trace wants it recorded. */
  readonly isSampled: boolean;
}

/** Newer versions may have more fields; what we read of them is the same. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.{0,256})?$/;
const SAMPLED = 0x01;

/** Reads a `traceparent`. Undefined for anything that is none: then the caller has no trace that could be told from others. */
export function parseTraceparent(header: unknown): TraceContext | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(header.trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** A new span of the same trace; the first one of a trace of its own when there is none. */
export function nextSpan(parent: TraceContext | undefined): TraceContext {
  return {
    traceId: parent?.traceId ?? digits(16),
    spanId: digits(8),
    isSampled: parent?.isSampled ?? false,
  };
}

/** All 0 has a chance of one in 2⁶⁴ at least. */
function digits(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
