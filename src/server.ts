import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gate } from './access/gate.ts';
import { ServiceToken } from './access/service-token.ts';
import { Viewer } from './access/viewer.ts';
import { sleep, systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { ConfigError, readConfig } from './config.ts';
import type { Config } from './config.ts';
import { Counters } from './counters.ts';
import { ApiError } from './errors.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { Metrics, type Levels } from './metrics.ts';
import { Hub } from './pubsub/hub.ts';
import type { Context } from './schema/context.ts';
import { schema } from './schema/index.ts';
import { KasSource } from './sources/kas/kas-source.ts';
import { createExecution } from './transport/execution.ts';
import type { CredentialsOf } from './transport/execution.ts';
import { graphiqlPage } from './transport/graphiql.ts';
import type { GraphiQLDefaults } from './transport/graphiql.ts';
import { createHttpServer } from './transport/http.ts';
import { SocketServer } from './transport/websocket.ts';

export interface ServerOptions {
  /** What GraphiQL shows to whoever opens it for the first time. */
  readonly graphiqlDefaults?: GraphiQLDefaults;
  readonly log?: Log;
  readonly counters?: Counters;
  readonly clock?: Clock;
}

export interface RunningServer {
  /** Where it listens, base path included: "http://127.0.0.1:4000", "http://127.0.0.1:4000/a/b". */
  readonly url: string;
  /** Sends clients away so that they come back elsewhere, lets answers finish, releases everything. */
  stop(): Promise<void>;
}

/** How long answers that are on their way may take when the server stops. */
const DRAIN_MS = 10_000;

export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const log = options.log ?? createLog(config.logLevel);
  const { counters = new Counters(), clock = systemClock } = options;
  const { gate, close, ...core } = createCore(config, { log, counters, clock });
  const execution = createExecution({
    ...config,
    schema,
    clock,
    counters,
    contextFor: (credentials): Context => ({ viewer: viewerOnce(credentials), gate, clock }),
    log,
  });
  const reasons = new Set<string>();
  const sockets = new SocketServer({ ...config, execution, clock, counters, log });
  const { server, cutStreams } = createHttpServer({
    ...config,
    execution,
    graphiql: config.graphiql ? graphiqlPage(options.graphiqlDefaults ?? {}) : undefined,
    notReady: () => [...reasons],
    metrics: new Metrics(counters, { sockets: () => sockets.size, ...core }),
    counters,
    clock,
    log,
  });
  server.on('upgrade', (request, tcp, head) => sockets.upgrade(request, tcp, head));
  await listen(server, config).catch(async (error: unknown) => {
    await close();
    throw error;
  });

  async function stop(): Promise<void> {
    reasons.add('The server is stopping.');
    const closed = closeServer(server);
    cutStreams();
    await sockets.stop();
    await Promise.race([closed, sleep(clock, DRAIN_MS)]);
    server.closeAllConnections();
    await close();
  }

  let stopped: Promise<void> | undefined;
  return { url: urlOf(server, config), stop: () => (stopped ??= stop()) };
}

interface Tools {
  readonly log: Log;
  readonly counters: Counters;
  readonly clock: Clock;
}

interface Core extends Pick<Levels, 'feeds' | 'upstreamStreams'> {
  readonly gate: Gate;
  readonly close: () => Promise<void>;
}

/** The parts that know nothing of transports. */
function createCore(config: Config, tools: Tools): Core {
  if (config.kasUrl === undefined) throw new ConfigError(['KAS_URL must be set.']);
  const { log, counters, clock } = tools;
  const token = serviceToken(config, tools);
  const lingerMs = config.lingerSeconds * 1_000;
  const source = new KasSource({
    url: config.kasUrl,
    clock,
    transport: config.watchTransport,
    agentStreamBudget: config.agentStreamBudget,
    onBudgetNearlyUsedUp: (agentId, used, budget) =>
      log.warn({ agentId, used, budget }, 'An agent carries nearly as many streams as it may (AGENT_STREAM_BUDGET).'),
    onDefect: ({ agentId, namespace, resource }, error) =>
      log.error({ error, agentId, namespace, resource: resource.plural }, 'A watch failed unexpectedly.'),
  });
  const hub = new Hub({ source, clock, lingerMs, standingDonor: token && ((key) => token.donor(key)) });
  const gate = new Gate({
    hub,
    source,
    clock,
    reviews: { allowMs: config.accessAllowSeconds * 1_000, denyMs: config.accessDenySeconds * 1_000 },
    sharing: config.sharing,
    feedsPerViewer: config.maxFeedsPerViewer,
    subscriptionsPerViewer: config.maxSubscriptionsPerViewer,
    lingerMs,
    counters,
    prometheus: config.prometheusService,
    audit: (entry) => log.info({ audit: entry }, 'audit'),
  });
  return {
    gate,
    feeds: () => hub.size,
    upstreamStreams: () => source.streamsInUse,
    close: async () => {
      hub.close();
      gate.logs.close();
      await source.close();
    },
  };
}

/** A file without a token at the start is a mistake; what happens to it later is survived. */
function serviceToken({ serviceTokenFile }: Config, { log, counters }: Tools): ServiceToken | undefined {
  if (serviceTokenFile === undefined) return undefined;
  const token = new ServiceToken({
    file: serviceTokenFile,
    counters,
    onProblem: (problem, { key, code }) =>
      log.warn({ agentId: key?.agentId, namespace: key?.namespace, resource: key?.resource.plural, code }, problem),
  });
  if (!token.isReadable) throw new ConfigError(['SERVICE_TOKEN_FILE must name a file that holds one token.']);
  return token;
}

function viewerOnce(credentialsOf: CredentialsOf): () => Viewer {
  let viewer: Viewer | undefined;
  return () => (viewer ??= viewerOf(credentialsOf()));
}

function viewerOf(credentials: ReturnType<CredentialsOf>): Viewer {
  if (!credentials) throw new ApiError('UNAUTHENTICATED', 'This needs credentials, and there are none.');
  return new Viewer(credentials);
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function urlOf(server: Server, { basePath }: Config): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${basePath === '/' ? '' : basePath}`;
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  surviveRejections(log);
  const server = await startServer(config, { log });
  process.stdout.write(`${JSON.stringify({ level: 'info', message: 'Kascade listens.', url: server.url })}\n`);
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(1); // asked twice: whoever waits has waited enough
    stopping = true;
    void server.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}

/**
 * A rejection that nobody waits for belongs to one operation of one client; ending the process would end those of all
 * others. After an exception nobody caught, the state of what it left is unknown: that does end it, and clients
 * resume elsewhere.
 */
function surviveRejections(log: Log): void {
  process.on('unhandledRejection', (error) => log.error({ error }, 'A rejection was not handled.'));
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'An exception was not caught.');
    process.exit(1);
  });
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
