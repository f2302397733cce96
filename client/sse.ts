import { KascadeError } from './errors.ts';
import { resolved, type Headers } from './headers.ts';
import { refusalOf } from './refusal.ts';
import { SseParser } from './sse-parser.ts';
import type { Operation, Result, Sink, Subscribe } from './transport.ts';

export type { Headers } from './headers.ts';

export interface SseOptions {
  /** `…/graphql`. */
  readonly url: string;
  /** Asked anew for each subscription when it is a function: a token can change. */
  readonly headers?: Headers;
  /** `include` sends GitLab's cookie to another origin. */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  readonly fetch?: typeof fetch;
  /** The server pings every 12 s: after so long without a sound the connection is given up. */
  readonly silenceMs?: number;
}

const SILENCE_MS = 30_000;

/** Server-sent events as a transport: one HTTP answer a subscription, which any proxy lets through. */
export function sse(options: SseOptions): Subscribe {
  return <Data>(operation: Operation, sink: Sink<Data>) => {
    const abort = new AbortController();
    let stopped = false;
    follow(operation, sink, options, abort).catch((error: unknown) => {
      if (!stopped) sink.error(error);
    });
    return () => {
      stopped = true;
      abort.abort();
    };
  };
}

async function follow<Data>(operation: Operation, sink: Sink<Data>, options: SseOptions, abort: AbortController) {
  const { fetch = globalThis.fetch, silenceMs = SILENCE_MS } = options;
  const silence = deadline(abort, silenceMs);
  try {
    const response = await fetch(options.url, {
      method: 'POST',
      headers: {
        ...(await resolved(options.headers)),
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      credentials: options.credentials ?? 'same-origin',
      body: JSON.stringify({ query: operation.query, variables: operation.variables }),
      signal: abort.signal,
    });
    if (!isEventStream(response)) throw await refusalOf(response);
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      silence.extend();
      for (const { event, data } of parser.push(decoder.decode(part.value, { stream: true }))) {
        if (abort.signal.aborted) return;
        if (event === 'complete') return sink.complete();
        if (event === 'next') sink.next(JSON.parse(data) as Result<Data>);
      }
    }
    throw new KascadeError('The connection was cut.', { code: 'NETWORK', retryable: true });
  } finally {
    silence.cancel();
    abort.abort(); // whatever else may still come on this answer
  }
}

function isEventStream({ ok, headers }: Response): boolean {
  return ok && (headers.get('content-type') ?? '').startsWith('text/event-stream');
}

function deadline(abort: AbortController, afterMs: number) {
  const giveUp = () => abort.abort(new KascadeError('The server fell silent.', { code: 'NETWORK', retryable: true }));
  let timer = setTimeout(giveUp, afterMs);
  return {
    cancel: () => clearTimeout(timer),
    extend: () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, afterMs);
    },
  };
}
