import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Clock } from '../../../clock.ts';
import { formatTraceparent } from '../../../tracing/trace-context.ts';
import { MAX_DOCUMENT_BYTES } from '../../framer.ts';
import { UpstreamError } from '../../upstream-error.ts';
import { connectionError, refusalError } from '../../apiserver/error-map.ts';
import type { ApiHttp } from '../../apiserver/http.ts';
import { urlOf } from '../../apiserver/paths.ts';
import { KAS } from '../kas.ts';
import { requestToken } from './token.ts';

const SUBPROTOCOL = 'gitlab-agent-watch-api';
const TOKEN_SUBPROTOCOL = 'websocket-token.kas.gitlab.com.';
/** An object and what is around it, in bytes. */
const MAX_MESSAGE_BYTES = MAX_DOCUMENT_BYTES + 64 * 1024;
/** From the dial to the open connection: KAS itself may look for the agent for 20 s. */
export const HANDSHAKE_MS = 30_000;
/** How much of a refusal is read to understand it. */
const MAX_REFUSAL_BYTES = 64 * 1024;
const WHAT = 'open the aggregated watch';

export interface Dialling {
  readonly http: ApiHttp;
  readonly base: URL;
  readonly clock: Clock;
  readonly headers: Record<string, string>;
}

/** The WebSocket could not be had. `token`: the plain HTTP request before it failed, so HTTP is no better. */
export class DialError extends Error {
  readonly stage: 'token' | 'upgrade';
  readonly reason: UpstreamError;

  constructor(stage: 'token' | 'upgrade', reason: UpstreamError) {
    super(reason.message);
    this.stage = stage;
    this.reason = reason;
  }
}

/** Opens KAS's aggregated watch. Rejects with a DialError, or with the signal's reason when it aborts. */
export async function dial(dialling: Dialling, signal: AbortSignal): Promise<WebSocket> {
  const { http, base, headers } = dialling;
  let token: string | undefined;
  try {
    token = await requestToken(http, base, headers, signal);
  } catch (error) {
    if (error instanceof UpstreamError) throw new DialError('token', saidByKas(error));
    throw error;
  }
  const protocols = token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + token];
  return upgrade(dialling, protocols, token === undefined ? headers : {}, signal);
}

/** `http` becomes `ws`, `https` becomes `wss`; the path of the base stays in front. */
export function socketUrl(base: URL): URL {
  const url = urlOf(base, { segments: ['watch'] });
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

function upgrade(
  { base, clock, http }: Dialling,
  protocols: string[],
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<WebSocket> {
  const span = http.startSpan({ what: WHAT });
  const traceparent = formatTraceparent(span.context);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(socketUrl(base), protocols, {
      headers: { 'user-agent': 'kascade', traceparent, ...headers },
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      followRedirects: false,
    });
    let isSettled = false;
    const settle = (conclude: () => void) => {
      if (isSettled) return;
      isSettled = true;
      timer.cancel();
      signal.removeEventListener('abort', abort);
      conclude();
    };
    const fail = (error: unknown) =>
      settle(() => {
        socket.terminate();
        span.end(error instanceof UpstreamError ? error.failure : 'aborted');
        reject(error instanceof UpstreamError ? new DialError('upgrade', saidByKas(error)) : (error as Error));
      });
    const abort = () => fail(signal.reason);
    const timer = clock.after(HANDSHAKE_MS, () =>
      fail(new UpstreamError('timeout', 'The aggregated watch was not opened in time.', { hop: 'kas' })),
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      void refusal(response, clock).then(fail, fail);
    });
    // Stays for the life of the socket: an error without a listener would end the process. What it means is told by `close`.
    socket.on('error', (error) => fail(handshakeError(error)));
    socket.on('open', () =>
      settle(() => {
        span.end(undefined);
        resolve(socket);
      }),
    );
  });
}

/**
 * Behind KAS nobody has been asked yet, whatever the answer looks like; unless it is one that does not know this way
 * and passes it on. So a 401 that does not prove itself is no verdict on other agents.
 */
function saidByKas(error: UpstreamError): UpstreamError {
  const { failure, retryAfterMs, upstream, cause } = error;
  if (failure === 'agentNotConnected') return error;
  const message = failure === 'unauthorized' ? 'The credentials were not accepted for this agent.' : error.message;
  return new UpstreamError(failure, message, { hop: 'kas', retryAfterMs, ...(upstream && { upstream }), cause });
}

async function refusal(response: IncomingMessage, clock: Clock): Promise<UpstreamError> {
  const code = response.statusCode ?? 0;
  const error = refusalError(
    {
      code,
      status: await readStatus(response),
      gitlabUnauthorized: KAS.isOfGitlab(response.headers),
      retryAfter: response.headers['retry-after'],
      nowMs: clock.now(),
    },
    WHAT,
    KAS,
  );
  // To a reflector "not found" is a resource that the cluster does not have.
  if (error.failure !== 'notFound' && code >= 400) return error;
  return new UpstreamError('server', 'GitLab Agent Server does not offer its aggregated watch.', {
    hop: 'kas',
    upstream: { status: code },
  });
}

async function readStatus(response: IncomingMessage): Promise<unknown> {
  let body = '';
  try {
    for await (const chunk of response) {
      body += String(chunk);
      if (body.length > MAX_REFUSAL_BYTES) break;
    }
    return JSON.parse(body) as unknown;
  } catch {
    return undefined; // plain text, or cut off: the code says enough
  }
}

/** No code: what was answered was no WebSocket handshake. */
function handshakeError(error: Error): UpstreamError {
  if ('code' in error) return connectionError(error, KAS);
  return new UpstreamError('server', 'GitLab Agent Server did not open its aggregated watch.', {
    hop: 'kas',
    cause: error,
  });
}
