import { AsyncLocalStorage } from 'node:async_hooks';
import { nextSpan, type TraceContext } from './trace-context.ts';

/** What a span is about. Never a credential, a variable or a document. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanOptions {
  readonly name: string;
  /** `server`: done for a client. `client`: asked of somebody else. */
  readonly kind: 'server' | 'client';
  readonly attributes?: SpanAttributes;
}

export interface Span {
  readonly context: TraceContext;
  /** `error`: its code, or the name of its class; undefined when it went well. */
  end(error: string | undefined, attributes?: SpanAttributes): void;
}

/** Makes spans; what becomes of them is its own affair. */
export interface Tracer {
  start(options: SpanOptions, parent: TraceContext | undefined): Span;
  /** Passes on what it still has. */
  close(): Promise<void>;
}

/** For when nobody collects spans: they exist only so that others can tell which calls belong together. */
export const plainTracer: Tracer = {
  start: (_options, parent) => ({ context: nextSpan(parent), end: () => undefined }),
  close: async () => undefined,
};

const here = new AsyncLocalStorage<TraceContext | undefined>();

/** The span that the code at hand runs for, if it runs for one. */
export function currentTrace(): TraceContext | undefined {
  return here.getStore();
}

/** Runs a task as part of a trace. Undefined: of none, such as what is shared by many and outlives whoever began it. */
export function inTrace<T>(context: TraceContext | undefined, task: () => T): T {
  return here.getStore() === context ? task() : here.run(context, task); // a context costs memory as long as it is used
}

/**
 * Runs a task in a span of its own, which ends when its promise settles. `errorIn`: what went wrong in a result that
 * is none to throw.
 */
export async function inSpan<T>(
  tracer: Tracer,
  options: SpanOptions,
  task: () => Promise<T>,
  errorIn: (result: T) => string | undefined,
): Promise<T> {
  const span = tracer.start(options, currentTrace());
  try {
    const result = await inTrace(span.context, task);
    span.end(errorIn(result));
    return result;
  } catch (error) {
    span.end(errorType(error));
    throw error;
  }
}

function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'Error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
