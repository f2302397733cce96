import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { requestCredentials } from './client-credentials.ts';
import { PREFLIGHT_HEADERS, SECURITY_HEADERS, accepts, corsHeaders, isJson, originAllowed, pathOf } from './door.ts';
import { operationOf, serveEvents } from './events.ts';
import type { CredentialsOf, Execution, PreparedOperation } from './execution.ts';
import type { GraphiQLPage } from './graphiql.ts';
import { watchReader } from './reader-watch.ts';
import { sendFetchResponse, sendJson, sendRefusal } from './respond.ts';

export interface HttpOptions {
  readonly execution: Execution;
  /** '/' or '/a/b'. */
  readonly basePath: string;
  readonly allowedOrigins: readonly string[];
  readonly maxBodyBytes: number;
  /** How long an event stream may last, give or take a tenth; 0: for ever. */
  readonly maxSocketSeconds: number;
  readonly counters: Counters;
  /** What `/metrics` shows. Absent: there is no such address. */
  readonly metrics?: Metrics | undefined;
  /** Absent: no GraphiQL. */
  readonly graphiql?: (() => Promise<GraphiQLPage>) | undefined;
  /** Why requests should go to another replica; empty when they need not. */
  readonly notReady: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Time for a client to say what it wants: against those that send a byte a minute to hold a connection. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
};
/** After a refused body: how long the client may take to read why, before its connection is cut. */
const REFUSED_BODY_GRACE_MS = 1_000;

export interface HttpServer {
  readonly server: Server;
  /** Cuts live event streams without a `complete`: their clients come back, here or to another replica. */
  readonly cutStreams: () => void;
}

interface Serving extends HttpOptions {
  readonly streams: Set<ServerResponse>;
}

export function createHttpServer(options: HttpOptions): HttpServer {
  const serving: Serving = { ...options, streams: new Set() };
  const routes = routesOf(serving);
  const server = createServer(TIMEOUTS, (request, response) => {
    response.on('error', (error) => options.log.debug({ error }, 'A client went away.'));
    handle(request, response, routes, options).catch((error: unknown) => {
      options.log.error({ error }, 'A request failed unexpectedly.');
      if (response.headersSent) response.destroy();
      else sendRefusal(response, 500, 'INTERNAL', 'Unexpected error.');
    });
  });
  return {
    server,
    cutStreams: () => {
      for (const response of serving.streams) response.destroy();
    },
  };
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
type Routes = ReadonlyMap<string, { readonly methods: readonly string[]; readonly serve: Route }>;

function routesOf(options: Serving): Routes {
  const prefix = options.basePath === '/' ? '' : options.basePath;
  const read = ['GET', 'HEAD'];
  const { metrics } = options;
  return new Map([
    [
      `${prefix}/graphql`,
      { methods: ['GET', 'POST'], serve: (request, response) => serveGraphQL(request, response, options) },
    ],
    [
      `${prefix}/healthz`,
      { methods: read, serve: async (_request, response) => sendJson(response, 200, { status: 'ok' }) },
    ],
    [
      `${prefix}/readyz`,
      { methods: read, serve: async (_request, response) => serveReadiness(response, options.notReady()) },
    ],
    ...(metrics === undefined ? [] : [metricsRoute(`${prefix}/metrics`, metrics)]),
  ]);
}

function metricsRoute(path: string, metrics: Metrics): [string, { methods: string[]; serve: Route }] {
  const serve: Route = async (_request, response) => {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  };
  return [path, { methods: ['GET', 'HEAD'], serve }];
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes,
  options: HttpOptions,
): Promise<void> {
  response.setHeaders(new Map(Object.entries(SECURITY_HEADERS)));
  const route = routes.get(pathOf(request));
  if (!route) return sendRefusal(response, 404, 'NOT_FOUND', 'There is nothing at this address.');
  if (!originAllowed(request.headers, options.allowedOrigins)) {
    return sendRefusal(response, 403, 'FORBIDDEN', 'The origin of this page is not in ALLOWED_ORIGINS.');
  }
  response.setHeaders(new Map(Object.entries(corsHeaders(request.headers.origin))));
  if (request.method === 'OPTIONS') {
    response.writeHead(204, PREFLIGHT_HEADERS).end();
    return undefined;
  }
  if (route.methods.includes(request.method ?? '')) return route.serve(request, response);
  response.setHeader('allow', route.methods.join(', '));
  return sendRefusal(response, 405, 'BAD_USER_INPUT', `This address answers ${route.methods.join(' and ')}.`);
}

function serveReadiness(response: ServerResponse, reasons: readonly string[]): void {
  const ready = reasons.length === 0;
  sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', reasons });
}

async function serveGraphQL(request: IncomingMessage, response: ServerResponse, options: Serving): Promise<void> {
  if (request.method === 'POST') return serveOperation(request, response, options);
  if (accepts(request.headers, 'text/event-stream')) return serveOperation(request, response, options);
  if (accepts(request.headers, 'text/html') && options.graphiql) {
    return serveGraphiQL(request, response, await options.graphiql());
  }
  const message = 'Send operations with POST, or with GET and "Accept: text/event-stream".';
  return sendRefusal(response, 406, 'BAD_USER_INPUT', message);
}

function serveGraphiQL(request: IncomingMessage, response: ServerResponse, page: GraphiQLPage): void {
  const compress = (request.headers['accept-encoding'] ?? '').includes('gzip');
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': page.contentSecurityPolicy,
    vary: 'Accept-Encoding',
    ...(compress && { 'content-encoding': 'gzip' }),
  });
  response.end(compress ? page.gzipped : page.html);
}

async function serveOperation(request: IncomingMessage, response: ServerResponse, options: Serving): Promise<void> {
  // A form of another site can POST, but not this type: together with the origin, that keeps its hands off our cookies.
  if (request.method === 'POST' && !isJson(request.headers)) {
    return sendRefusal(response, 415, 'BAD_USER_INPUT', 'The body must be application/json.');
  }
  const body = request.method === 'POST' ? await bodyOrRefusal(request, response, options) : undefined;
  if (body === REFUSED) return undefined;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const url = new URL(request.url ?? '', 'http://kascade');
  const asked = new Request(url, {
    method: request.method ?? '',
    headers: { accept: request.headers.accept ?? '*/*', ...(body && { 'content-type': 'application/json' }) },
    body: body ?? null,
    signal: gone.signal,
  });
  const credentials = () => requestCredentials(request);
  const stopWatching = watchReader(request.socket, options.clock, () => response.destroy());
  const stopAging = accepts(request.headers, 'text/event-stream') ? limitLife(response, options) : undefined;
  try {
    const live = stopAging && (await liveOperation(url, body, credentials, options));
    if (live) await serveEvents(response, live, options);
    else await sendFetchResponse(response, await options.execution.respond(asked, credentials));
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    stopWatching();
    stopAging?.();
  }
  return undefined;
}

/** A subscription that can be run. What is wrong with any other is told in the same way as on every other request. */
async function liveOperation(
  url: URL,
  body: Uint8Array | undefined,
  credentials: CredentialsOf,
  { execution }: HttpOptions,
): Promise<PreparedOperation | undefined> {
  const asked = operationOf(url, body);
  const operation = asked && (await execution.prepare(asked, credentials).catch(() => undefined));
  return operation?.isLive === true ? operation : undefined;
}

/** An event stream is cut when the server stops, and when it has lasted long enough. */
function limitLife(response: ServerResponse, { streams, clock, maxSocketSeconds, counters }: Serving): () => void {
  streams.add(response);
  const life = maxSocketSeconds * 1_000 * (0.9 + 0.2 * clock.random());
  const cut = () => {
    counters.add('limits_hit', { limit: 'MAX_SOCKET_SECONDS' });
    response.destroy();
  };
  const timer = maxSocketSeconds === 0 ? undefined : clock.after(life, cut);
  return () => {
    timer?.cancel();
    streams.delete(response);
  };
}

const REFUSED = Symbol('refused');

async function bodyOrRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBodyBytes, clock, counters }: HttpOptions,
): Promise<Uint8Array<ArrayBuffer> | typeof REFUSED> {
  try {
    return await readBody(request, maxBodyBytes);
  } catch (error) {
    if (request.destroyed) return REFUSED; // the client left in the middle
    if (!(error instanceof BodyTooLarge)) throw error;
    counters.add('limits_hit', { limit: 'MAX_BODY_BYTES' });
    response.setHeader('connection', 'close');
    sendRefusal(response, 413, 'LIMIT_EXCEEDED', `The body is larger than ${maxBodyBytes} bytes (MAX_BODY_BYTES).`);
    request.resume();
    clock.after(REFUSED_BODY_GRACE_MS, () => request.socket.destroy());
    return REFUSED;
  }
}
