import { Agent, request, type Dispatcher } from 'undici';
import type { Clock } from '../../clock.ts';
import { UpstreamError } from '../upstream-error.ts';
import { connectionError, refusalError } from './error-map.ts';

/** The largest page of a list that is accepted, in bytes. */
export const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** The largest answer to a single call, in bytes. */
export const MAX_CALL_BYTES = 16 * 1024 * 1024;
/** How much of a refusal is read to understand it. */
const MAX_REFUSAL_BYTES = 64 * 1024;
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

/**
 * HTTP towards KAS. Watches, lists and calls have connections of their own: a stream that stalls, or a burst of large
 * lists, holds up nothing else. Redirects are not followed.
 */
export class KasHttp {
  readonly #clock: Clock;
  readonly #watches: Dispatcher;
  readonly #lists: Dispatcher;
  readonly #calls: Dispatcher;

  constructor(clock: Clock) {
    this.#clock = clock;
    const shared = { connect: { timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 15_000 } };
    // A quiet watch is a healthy one: its deadlines are the reflector's, not the HTTP client's. One connection a
    // watch, because streams that share an HTTP/2 connection share its window, too.
    this.#watches = new Agent({ ...shared, allowH2: false, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
    this.#lists = new Agent({ ...shared, bodyTimeout: LIST_DEADLINE_MS, headersTimeout: LIST_DEADLINE_MS });
    this.#calls = new Agent({ ...shared, bodyTimeout: CALL_DEADLINE_MS, headersTimeout: CALL_DEADLINE_MS });
  }

  /** One page of a list, parsed. */
  list(options: HttpRequest, signal: AbortSignal): Promise<unknown> {
    return this.#json(this.#lists, options, LIST_DEADLINE_MS, MAX_PAGE_BYTES, 'pageTooLarge', signal);
  }

  /** One call, parsed. */
  call(options: HttpRequest, signal?: AbortSignal): Promise<unknown> {
    return this.#json(this.#calls, options, CALL_DEADLINE_MS, MAX_CALL_BYTES, 'malformed', signal);
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

  async close(): Promise<void> {
    await Promise.all([this.#watches.destroy(), this.#lists.destroy(), this.#calls.destroy()]);
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
      throw error instanceof UpstreamError ? error : connectionError(error);
    } finally {
      timer.cancel();
    }
  }

  async #send(dispatcher: Dispatcher, options: HttpRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', url, headers, body } = options;
    try {
      return await request(url, {
        dispatcher,
        method,
        signal,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'kascade',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason as Error;
      throw connectionError(error);
    }
  }

  async #refusal(response: Dispatcher.ResponseData, what: string): Promise<UpstreamError> {
    const { statusCode: code, headers } = response;
    return refusalError(
      {
        code,
        status: await readStatus(response),
        gitlabUnauthorized: single(headers['gitlab-unauthorized']) === 'true',
        retryAfter: single(headers['retry-after']),
        nowMs: this.#clock.now(),
      },
      what,
    );
  }
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
