import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { bySentCredentials, type Identify } from './client-credentials.ts';
import { isJson, takesEvents } from './door.ts';
import { operationOf, serveEvents } from './events.ts';
import type { CredentialsOf, Execution, PreparedOperation } from './execution.ts';
import type { OpenResponses } from './open-responses.ts';
import { watchReader } from './reader-watch.ts';
import { refuseWhileDraining, sendFetchResponse, sendRefusal } from './respond.ts';

export interface OperationOptions {
  readonly execution: Execution;
  /** Who asks; by what they send when left out. */
  readonly identify?: Identify;
  readonly maxBodyBytes: number;
  /** How long an event stream may last, give or take a tenth; 0: for ever. */
  readonly maxSocketSeconds: number;
  readonly counters: Counters;
  readonly clock: Clock;
}

/** What the server that an operation came to knows of itself. */
export interface OperationServing extends OperationOptions {
  readonly open: OpenResponses;
  /** No more operations are taken. It may become true while one is under way. */
  isDraining: boolean;
}

/** After a refused body: how long the client may take to read why, before its connection is cut. */
const REFUSED_BODY_GRACE_MS = 1_000;

/** One operation over HTTP: its one answer, or its event stream, for as long as its client reads. */
export async function serveOperation(
  request: IncomingMessage,
  response: ServerResponse,
  options: OperationServing,
): Promise<void> {
  // A form of another site can POST, but not this type: together with the origin, that keeps its hands off our cookies.
  if (request.method === 'POST' && !isJson(request.headers)) {
    return sendRefusal(response, 415, {
      code: 'BAD_USER_INPUT',
      message: 'The body must be application/json.',
      remedy: 'Send JSON, with "Content-Type: application/json".',
    });
  }
  const body = request.method === 'POST' ? await bodyOrRefusal(request, response, options) : undefined;
  if (body === REFUSED) return undefined;
  if (options.isDraining) return refuseWhileDraining(response); // it began while the body came
  const gone = new AbortController();
  options.open.add(response);
  response.once('close', () => gone.abort());
  const url = new URL(request.url ?? '', 'http://kascade');
  const asked = new Request(url, {
    method: request.method ?? '',
    headers: { accept: request.headers.accept ?? '*/*', ...(body && { 'content-type': 'application/json' }) },
    body: body ?? null,
    signal: gone.signal,
  });
  const { identify = bySentCredentials } = options;
  const credentials = () => identify.onRequest(request);
  const stopWatching = watchReader(request.socket, options.clock, () => {
    options.counters.add('slow_consumers_cut', { transport: 'http' });
    response.destroy();
  });
  try {
    const live = takesEvents(request.headers) ? await liveOperation(url, body, credentials, options) : undefined;
    if (live && options.isDraining) refuseWhileDraining(response);
    else if (live) await serveStream(response, live, options);
    else await sendFetchResponse(response, await options.execution.respond(asked, credentials));
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    stopWatching();
  }
  return undefined;
}

/** A subscription that can be run. What is wrong with any other is told in the same way as on every other request. */
async function liveOperation(
  url: URL,
  body: Uint8Array | undefined,
  credentials: CredentialsOf,
  { execution }: OperationOptions,
): Promise<PreparedOperation | undefined> {
  const asked = operationOf(url, body);
  // No subscription does without the word. Whatever else there is, is parsed and counted where it is answered.
  if (!asked?.query.includes('subscription')) return undefined;
  const operation = await execution.prepare(asked, credentials).catch(() => undefined);
  return operation?.isLive === true ? operation : undefined;
}

async function serveStream(
  response: ServerResponse,
  live: PreparedOperation,
  options: OperationServing,
): Promise<void> {
  const stopAging = limitLife(response, options);
  try {
    await serveEvents(options.open.asStream(response), live, options);
  } finally {
    stopAging();
  }
}

/** An event stream is cut when it has lasted long enough. */
function limitLife(response: ServerResponse, { clock, maxSocketSeconds, counters }: OperationOptions): () => void {
  const life = maxSocketSeconds * 1_000 * (0.9 + 0.2 * clock.random());
  const cut = () => {
    counters.add('limits_hit', { limit: 'MAX_SOCKET_SECONDS' });
    response.destroy();
  };
  const timer = maxSocketSeconds === 0 ? undefined : clock.after(life, cut);
  return () => timer?.cancel();
}

const REFUSED = Symbol('refused');

async function bodyOrRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBodyBytes, clock, counters }: OperationOptions,
): Promise<Uint8Array<ArrayBuffer> | typeof REFUSED> {
  try {
    return await readBody(request, maxBodyBytes);
  } catch (error) {
    if (request.destroyed) return REFUSED; // the client left in the middle
    if (!(error instanceof BodyTooLarge)) throw error;
    counters.add('limits_hit', { limit: 'MAX_BODY_BYTES' });
    response.setHeader('connection', 'close');
    sendRefusal(response, 413, {
      code: 'LIMIT_EXCEEDED',
      message: `The body is larger than ${maxBodyBytes} bytes (MAX_BODY_BYTES).`,
      remedy: 'Send less, or ask the operator for a higher MAX_BODY_BYTES.',
    });
    request.resume();
    clock.after(REFUSED_BODY_GRACE_MS, () => request.socket.destroy());
    return REFUSED;
  }
}
