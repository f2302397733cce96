import { Gate } from './access/gate.ts';
import { ServiceToken } from './access/service-token.ts';
import { chooseSource } from './choose-source.ts';
import type { Clock } from './clock.ts';
import { ConfigError, type Config } from './config.ts';
import type { Counters } from './counters.ts';
import type { Log } from './log.ts';
import { sharingLevels, sourceLevels, type Levels } from './metrics.ts';
import { Hub } from './pubsub/hub.ts';
import { reserveStream, type Tally } from './pubsub/tally.ts';
import { createSharing } from './sharing.ts';
import { plainTracer, type Tracer } from './tracing/tracing.ts';

export interface Tools {
  readonly log: Log;
  readonly counters: Counters;
  readonly clock: Clock;
}

type TransportLevels = 'sockets' | 'event_streams' | 'queued_bytes' | 'shapes' | 'subscriptions';

export interface Core {
  readonly gate: Gate;
  readonly levels: Omit<Levels, TransportLevels>;
  /** What is worth knowing, and no reason to send anybody away. */
  readonly notes: () => readonly string[];
  readonly tally: Tally | undefined;
  readonly tracer: Tracer;
  readonly start: () => Promise<void>;
  /** Leaves to other replicas what this one does for all. */
  readonly handOver: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The parts that know nothing of transports. */
export async function createCore(config: Config, tools: Tools): Promise<Core> {
  const { log, counters, clock } = tools;
  const tracer = await tracerFor(config);
  const token = serviceToken(config, tools);
  const lingerMs = config.lingerSeconds * 1_000;
  const source = await chooseSource(config, { ...tools, tracer });
  const sharing = createSharing(config, tools);
  const tally = sharing?.tally;
  const reserve = tally && ((agentId: string) => reserveStream(tally, agentId, config.agentStreamBudget));
  const hub = new Hub({
    source,
    clock,
    lingerMs,
    broker: sharing?.broker,
    reserve,
    standingDonor: token && ((key) => token.donor(key)),
  });
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
    tally,
    reserve,
  });
  return {
    gate,
    levels: {
      ...sourceLevels(() => source.totalLoad),
      ...sharingLevels(sharing?.bus, sharing?.broker),
      feeds: () => hub.size,
      log_feeds: () => gate.logs.size,
    },
    notes: () => sharing?.notes() ?? [],
    tally,
    tracer,
    start: async () => sharing?.bus.start(),
    handOver: async () => sharing?.broker.handOver(),
    close: async () => {
      hub.close();
      gate.logs.close();
      await sharing?.close();
      await source.close();
      await tracer.close();
    },
  };
}

/** What exports spans is loaded when there is something to export to. */
async function tracerFor({ tracing }: Config): Promise<Tracer> {
  return tracing === undefined ? plainTracer : (await import('./tracing/otlp.ts')).otlpTracer(tracing);
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
