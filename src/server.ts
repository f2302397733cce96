import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gate } from './access/gate.ts';
import { Viewer } from './access/viewer.ts';
import { sleep, systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { createCore } from './core.ts';
import { Counters } from './counters.ts';
import { ApiError } from './errors.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { Metrics } from './metrics.ts';
import type { Context } from './schema/context.ts';
import { agentsDocument } from './schema/first-document.ts';
import { schema } from './schema/index.ts';
import { stopOnSignal } from './signals.ts';
import { bySentCredentials, everybodyLocal } from './transport/client-credentials.ts';
import type { Identify } from './transport/client-credentials.ts';
import { createExecution } from './transport/execution.ts';
import type { CredentialsOf } from './transport/execution.ts';
import { graphiqlPage } from './transport/graphiql.ts';
import type { GraphiQLDefaults } from './transport/graphiql.ts';
import { createHttpServer, type HttpServer } from './transport/http.ts';
import { sendAway } from './transport/send-away.ts';
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
  /**
   * Lets nobody in any more, sends clients away over DRAIN_SECONDS so that they come back elsewhere, lets answers
   * finish, releases everything. Takes at most `longestStopSeconds`.
   */
  stop(): Promise<void>;
}

/** Of what is held here, to other replicas. */
const HAND_OVER_MS = 5_000;
const RELEASE_MS = 5_000;

/** How long a stop takes at most, whatever clients and clusters do. */
export function longestStopSeconds({ drainSeconds, maxRequestSeconds }: Config): number {
  return (HAND_OVER_MS + RELEASE_MS) / 1_000 + drainSeconds + maxRequestSeconds;
}

export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const log = options.log ?? createLog(config.logLevel);
  const { counters = new Counters(), clock = systemClock } = options;
  const core = await createCore(config, { log, counters, clock });
  const { gate, tally, tracer, levels, notes } = core;
  await core.start();
  const execution = createExecution({
    ...config,
    schema,
    clock,
    counters,
    tracer,
    contextFor: (credentials): Context => ({ viewer: viewerOnce(credentials), gate, clock }),
    log,
  });
  const reasons = new Set<string>();
  const door = doorOf(config);
  const sockets = new SocketServer({ ...config, ...door, execution, clock, counters, log, tally });
  const http: HttpServer = createHttpServer({
    ...config,
    ...door,
    execution,
    graphiql: config.graphiql ? graphiqlPage(options.graphiqlDefaults ?? (await graphiqlDefaults(gate))) : undefined,
    notReady: () => [...reasons],
    notes,
    metrics: new Metrics(counters, {
      ...levels,
      sockets: () => sockets.size,
      event_streams: () => http.eventStreams(),
      queued_bytes: () => ({ websocket: sockets.queuedBytes, sse: http.queuedBytes() }),
      shapes: () => execution.fanOut.shapes,
      subscriptions: () => {
        const shared = execution.fanOut.size;
        return { shared, plain: gate.subscriptions - shared };
      },
    }),
    counters,
    clock,
    log,
  });
  http.server.on('upgrade', (request, tcp, head) => sockets.upgrade(request, tcp, head));
  await listen(http.server, config).catch(async (error: unknown) => {
    await core.close();
    throw error;
  });

  async function stop(): Promise<void> {
    reasons.add('The server is stopping.');
    http.refuseMore();
    sockets.refuseMore();
    await atMost(HAND_OVER_MS, 'Handing over', core.handOver());
    await atMost(config.drainSeconds * 1_000 + config.maxRequestSeconds * 1_000, 'Draining', drain());
    sockets.terminate();
    http.server.closeAllConnections();
    await atMost(RELEASE_MS, 'Releasing', core.close());
  }

  async function drain(): Promise<void> {
    await sendAway([...sockets.farewells(), ...http.farewells()], config.drainSeconds * 1_000, clock);
    await http.close();
  }

  /** What goes wrong in a step, or takes too long, must not keep the next ones from being done. */
  async function atMost(milliseconds: number, what: string, step: Promise<void>): Promise<void> {
    const isDone = new AbortController();
    const late = sleep(clock, milliseconds, isDone.signal).then(
      () => log.warn(`${what} took too long.`),
      () => undefined,
    );
    await Promise.race([step.catch((error: unknown) => log.error({ error }, `${what} failed.`)), late]);
    isDone.abort();
  }

  let stopped: Promise<void> | undefined;
  return { url: urlOf(http.server, config), stop: () => (stopped ??= stop()) };
}

/** The credentials of a kubeconfig serve everybody, so it matters the more who can reach us. */
function doorOf({ kubeconfigSource }: Config): { readonly identify: Identify; readonly loopbackOnly: boolean } {
  const isLocal = kubeconfigSource !== undefined;
  return { identify: isLocal ? everybodyLocal : bySentCredentials, loopbackOnly: isLocal };
}

/** Behind KAS nothing is known that everybody could ask for. */
async function graphiqlDefaults(gate: Gate): Promise<GraphiQLDefaults> {
  const agents = await gate.clusters.agents();
  return agents === undefined ? {} : { query: agentsDocument(agents) };
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
  stopOnSignal(() => server.stop());
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
