import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import type { Counters } from '../../counters.ts';
import { formatTraceparent } from '../../tracing/trace-context.ts';
import { currentTrace, plainTracer, type Span, type Tracer } from '../../tracing/tracing.ts';
import { UpstreamError } from '../upstream-error.ts';
import { connectionError, refusalError } from './error-map.ts';
import type { Peer } from './peer.ts';

/** The largest page of a list that is accepted, in bytes. */
export const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** The largest answer to a single call, in bytes. */
export const MAX_CALL_BYTES = 16 * 1024 * 1024;
/** How much of a refusal is read to understand it. */
const MAX_REFUSAL_BYTES = 64 * 1024;
const CONNECT = { timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 15_000 };
export const LIST_DEADLINE_MS = 30_000;
export const CALL_DEADLINE_MS = 25_000;

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'PATCH';
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  /** Completes "The request to … failed". */
  readonly what: string;
}

/** What requests are timed, counted and traced with. */
export interface HttpTools {
  readonly clock: Clock;
  readonly counters?: Counters | undefined;
  readonly tracer?: Tracer | undefined;
}

export interface ApiHttpOptions extends HttpTools {
  readonly peer: Peer;
  readonly tls?: TlsOptions;
  /** URL of an HTTP proxy that connections go through. */
  readonly proxy?: string;
}

/** What TLS connections are made with. PEM; what is left out is Node's default. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must be for, in place of the host's. */
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/**
 * HTTP towards an API. Watches, lists and calls have connections of their own: a stream that stalls, or a burst of
 * large lists, holds up nothing else. Redirects are not followed.
 */
export class ApiHttp {
  readonly #clock: Clock;
  readonly #peer: Peer;
  readonly #counters: Counters | undefined;
  readonly #tracer: Tracer;
  readonly #watches: Dispatcher;
  readonly #options: ApiHttpOptions;
  /** What is still under way on connections that are not trusted any more. */
  readonly #leaving = new Set<Dispatcher>();
  #lists: Dispatcher;
  #calls: Dispatcher;

  constructor(options: ApiHttpOptions) {
    const { clock, peer, counters, tracer = plainTracer } = options;
    this.#options = options;
    this.#clock = clock;
    this.#peer = peer;
    this.#counters = counters;
    this.#tracer = tracer;
    // A quiet watch is a healthy one: its deadlines are the reflector's, not the HTTP client's. One connection a
    // watch, because streams that share an HTTP/2 connection share its window, too.
    this.#watches = connections(options, { allowH2: false, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
    this.#lists = withDeadline(options, LIST_DEADLINE_MS);
    this.#calls = withDeadline(options, CALL_DEADLINE_MS);
  }

  /** One page of a list, parsed. */
  list(options: HttpRequest, signal: AbortSignal): Promise<unknown> {
    return this.#json(this.#lists, options, LIST_DEADLINE_MS, MAX_PAGE_BYTES, 'pageTooLarge', signal);
  }

  /** One call, parsed. */
  async call(options: HttpRequest, signal?: AbortSignal): Promise<unknown> {
    try {
      return await this.#json(this.#calls, options, CALL_DEADLINE_MS, MAX_CALL_BYTES, 'malformed', signal);
    } catch (error) {
      if (error instanceof UpstreamError) {
        this.#counters?.add('upstream_failures', { during: 'call', failure: error.failure });
      }
      throw error;
    }
  }

  /** A span for a request to the peer: of the trace at hand, or the only one of its own. */
  startSpan({ method = 'GET', what }: Pick<HttpRequest, 'method' | 'what'>): Span {
    const attributes = { 'http.request.method': method, 'kascade.request': what };
    return this.#tracer.start({ name: `${this.#peer.hop} ${method}`, kind: 'client', attributes }, currentTrace());
  }

  /** Opens a stream. Resolves when the server has accepted it; what follows is the body's affair. */
  async open(options: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await this.#send(this.#watches, options, signal);
    if (response.statusCode !== 200) throw await this.#refusal(response, options.what);
    expectJson(response);
    return response;
  }

  /** The same for a stream of anything. */
  async openBytes(options: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await this.#send(this.#watches, options, signal);
    if (response.statusCode !== 200) throw await this.#refusal(response, options.what);
    return response;
  }

  /**
   * The way there has fallen silent, and those connections that wait to be used again are no better: the next request
   * would wait for its whole deadline on one of them.
   */
  distrustConnections(): void {
    for (const dispatcher of [this.#lists, this.#calls]) {
      this.#leaving.add(dispatcher);
      void dispatcher.close().finally(() => this.#leaving.delete(dispatcher));
    }
    this.#lists = withDeadline(this.#options, LIST_DEADLINE_MS);
    this.#calls = withDeadline(this.#options, CALL_DEADLINE_MS);
  }

  /** Lets what is under way come to its end, and takes nothing new. */
  async retire(): Promise<void> {
    await Promise.all([this.#watches.close(), this.#lists.close(), this.#calls.close()]);
  }

  /** Cuts everything. */
  async close(): Promise<void> {
    const all = [this.#watches, this.#lists, this.#calls, ...this.#leaving];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  async #json(
    dispatcher: Dispatcher,
    options: HttpRequest,
    deadlineMs: number,
    maxBytes: number,
    whenTooLarge: 'pageTooLarge' | 'malformed',
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const deadline = new AbortController();
    const timer = this.#clock.after(deadlineMs, () => deadline.abort());
    const signals = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      const response = await this.#send(dispatcher, options, signals);
      if (response.statusCode < 200 || response.statusCode > 299) throw await this.#refusal(response, options.what);
      expectJson(response);
      return parse(await readBody(response.body, maxBytes, whenTooLarge), options.what);
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) {
        throw new UpstreamError(
          'timeout',
          `The request to ${options.what} was not answered within ${deadlineMs / 1000} s.`,
        );
      }
      throw error instanceof UpstreamError ? error : connectionError(error, this.#peer);
    } finally {
      timer.cancel();
    }
  }

  async #send(dispatcher: Dispatcher, options: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', url, headers, body } = options;
    const span = this.startSpan(options);
    try {
      const response = await request(url, {
        dispatcher,
        method,
        signal,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'kascade',
          traceparent: formatTraceparent(span.context),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const { statusCode } = response;
      span.end(statusCode < 400 ? undefined : `${statusCode}`, { 'http.response.status_code': statusCode });
      return response;
    } catch (error) {
      const reason = signal.aborted ? (signal.reason as Error) : connectionError(error, this.#peer);
      span.end(reason instanceof UpstreamError ? reason.failure : 'aborted');
      throw reason;
    }
  }

  async #refusal(response: Dispatcher.ResponseData, what: string): Promise<UpstreamError> {
    const { statusCode: code, headers } = response;
    return refusalError(
      {
        code,
        status: await readStatus(response),
        gitlabUnauthorized: this.#peer.isOfGitlab(headers),
        retryAfter: single(headers['retry-after']),
        nowMs: this.#clock.now(),
      },
      what,
      this.#peer,
    );
  }
}

function withDeadline(options: ApiHttpOptions, milliseconds: number): Dispatcher {
  return connections(options, { bodyTimeout: milliseconds, headersTimeout: milliseconds });
}

function connections({ tls, proxy }: ApiHttpOptions, options: Agent.Options): Dispatcher {
  const connect = { ...CONNECT, ...tls };
  return proxy === undefined
    ? new Agent({ ...options, connect })
    : new ProxyAgent({ ...options, uri: proxy, proxyTls: CONNECT, requestTls: connect });
}

/** The Status object in the body of a refusal. Some refusals are plain text, and the code says enough then. */
async function readStatus({ body }: Dispatcher.ResponseData): Promise<unknown> {
  try {
    return JSON.parse((await readBody(body, MAX_REFUSAL_BYTES, 'malformed')).toString()) as unknown;
  } catch {
    return undefined;
  }
}

async function readBody(
  body: AsyncIterable<unknown>,
  maxBytes: number,
  whenTooLarge: 'pageTooLarge' | 'malformed',
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > maxBytes) throw new UpstreamError(whenTooLarge, `An answer was larger than ${maxBytes} bytes.`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks, bytes);
}

function parse(body: Buffer, what: string): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (cause) {
    throw new UpstreamError('malformed', `The answer to ${what} was not JSON.`, { cause });
  }
}

/** Parameters such as `;charset=utf-8` or `;stream=watch` are fine. */
function expectJson({ headers, body }: Dispatcher.ResponseData): void {
  const type = single(headers['content-type']) ?? '';
  if (/^application\/json\s*(;|$)/i.test(type)) return;
  body.destroy();
  throw new UpstreamError('malformed', 'The answer was not JSON by its content type.');
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
