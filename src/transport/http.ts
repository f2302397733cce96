import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import { inTrace } from '../tracing/tracing.ts';
import { requestTrace } from './client-trace.ts';
import { PREFLIGHT_HEADERS, SECURITY_HEADERS, accepts, corsHeaders, pathOf, refusedAtDoor } from './door.ts';
import type { DoorOptions } from './door.ts';
import type { GraphiQLPage } from './graphiql.ts';
import { serveOperation, type OperationOptions, type OperationServing } from './http-operation.ts';
import { OpenResponses } from './open-responses.ts';
import { refuseWhileDraining, sendJson, sendRefusal } from './respond.ts';
import type { Refusal } from './respond.ts';
import type { Farewell } from './send-away.ts';

export interface HttpOptions extends DoorOptions, OperationOptions {
  /** '/' or '/a/b'. */
  readonly basePath: string;
  /** What `/metrics` shows. Absent: there is no such address. */
  readonly metrics?: MetricsText | undefined;
  /** Absent: no GraphiQL. */
  readonly graphiql?: (() => Promise<GraphiQLPage>) | undefined;
  /** Why requests should go to another replica; empty when they need not. */
  readonly notReady: () => readonly string[];
  /** What whoever looks after this replica wants to know, and is no reason to go elsewhere. */
  readonly notes: () => readonly string[];
  readonly log: Log;
}

export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Time for a client to say what it wants: against those that send a byte a minute to hold a connection. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
};

export interface HttpServer {
  readonly server: Server;
  /** Live event streams. */
  readonly eventStreams: () => number;
  /** Bytes that wait for the clients of event streams to take them. */
  readonly queuedBytes: () => number;
  /** From now on operations are refused with 503. Health, readiness and metrics are answered on. */
  readonly refuseMore: () => void;
  /** For each live event stream: how to cut it without a `complete`, so that its client comes back, here or elsewhere. */
  readonly farewells: () => Farewell[];
  /** Stops listening when the answers that are on their way have left. Resolves when every connection is gone. */
  readonly close: () => Promise<void>;
}

type Serving = HttpOptions & OperationServing;

export function createHttpServer(options: HttpOptions): HttpServer {
  const serving: Serving = { ...options, open: new OpenResponses(), isDraining: false };
  const routes = routesOf(serving);
  const server = createServer(TIMEOUTS, (request, response) => {
    response.on('error', (error) => options.log.debug({ error }, 'A client went away.'));
    // Told so, clients come with their next request on another connection; one that is closed under them is an error.
    if (serving.isDraining) response.shouldKeepAlive = false;
    handle(request, response, routes, options).catch((error: unknown) => {
      options.counters.add('defects', { where: 'request' });
      options.log.error({ error }, 'A request failed unexpectedly.');
      if (response.headersSent) response.destroy();
      else sendRefusal(response, 500, UNEXPECTED);
    });
  });
  return {
    server,
    eventStreams: () => serving.open.streams,
    queuedBytes: () => serving.open.queuedBytes,
    refuseMore: () => {
      serving.isDraining = true;
      serving.open.beTheLast();
    },
    farewells: () => serving.open.farewells(),
    close: async () => {
      await serving.open.left();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const UNEXPECTED: Refusal = {
  code: 'INTERNAL',
  message: 'Unexpected error.',
  remedy: 'Report this to the operator, with the time.',
};

function nothingHere({ basePath }: HttpOptions): Refusal {
  return {
    code: 'NOT_FOUND',
    message: 'There is nothing at this address.',
    remedy: `GraphQL is at ${basePath === '/' ? '' : basePath}/graphql.`,
  };
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
type Routes = ReadonlyMap<string, { readonly methods: readonly string[]; readonly serve: Route }>;

function routesOf(options: Serving): Routes {
  const prefix = options.basePath === '/' ? '' : options.basePath;
  const read = ['GET', 'HEAD'];
  const { metrics } = options;
  const serveTraced: Route = (request, response) =>
    inTrace(requestTrace(request), () => serveGraphQL(request, response, options));
  return new Map([
    [`${prefix}/graphql`, { methods: ['GET', 'POST'], serve: serveTraced }],
    [
      `${prefix}/healthz`,
      { methods: read, serve: async (_request, response) => sendJson(response, 200, { status: 'ok' }) },
    ],
    [`${prefix}/readyz`, { methods: read, serve: async (_request, response) => serveReadiness(response, options) }],
    ...(metrics === undefined ? [] : [metricsRoute(`${prefix}/metrics`, metrics)]),
  ]);
}

function metricsRoute(path: string, metrics: MetricsText): [string, { methods: string[]; serve: Route }] {
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
  if (!route) return sendRefusal(response, 404, nothingHere(options));
  const refusal = refusedAtDoor(request.headers, options);
  if (refusal !== undefined) return sendRefusal(response, 403, refusal);
  response.setHeaders(new Map(Object.entries(corsHeaders(request.headers.origin))));
  if (request.method === 'OPTIONS') {
    response.writeHead(204, PREFLIGHT_HEADERS).end();
    return undefined;
  }
  if (route.methods.includes(request.method ?? '')) return route.serve(request, response);
  response.setHeader('allow', route.methods.join(', '));
  return sendRefusal(response, 405, {
    code: 'BAD_USER_INPUT',
    message: `This address answers ${route.methods.join(' and ')}.`,
    remedy: `Use ${route.methods.join(' or ')}.`,
  });
}

function serveReadiness(response: ServerResponse, { notReady, notes }: HttpOptions): void {
  const reasons = notReady();
  const ready = reasons.length === 0;
  sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', reasons, notes: notes() });
}

async function serveGraphQL(request: IncomingMessage, response: ServerResponse, options: Serving): Promise<void> {
  if (options.isDraining) return refuseWhileDraining(response);
  if (request.method === 'POST') return serveOperation(request, response, options);
  if (accepts(request.headers, 'text/event-stream')) return serveOperation(request, response, options);
  if (accepts(request.headers, 'text/html') && options.graphiql) {
    return serveGraphiQL(request, response, await options.graphiql());
  }
  return sendRefusal(response, 406, {
    code: 'BAD_USER_INPUT',
    message: 'A GET executes nothing but event streams.',
    remedy: 'Send operations with POST, or with GET and "Accept: text/event-stream".',
  });
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
