import { ERROR_CODES } from './errors.ts';

/**
 * Every number that `/metrics` shows of ours. A label's values are listed here, all of them: what is not listed is
 * counted as `other`, so no agent, namespace, name or viewer can become a series. docs/operations.md explains each to
 * operators; a test compares the two.
 */

interface Described {
  readonly help: string;
}

interface CounterDescription extends Described {
  /** Each label with the values it may have. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

interface GaugeDescription extends Described {
  /** The one label that it may have, with its values. */
  readonly by?: { readonly label: string; readonly values: readonly string[] };
}

interface HistogramDescription extends Described {
  readonly buckets: readonly number[];
}

const FAILURES = [
  'expired',
  'tooLarge',
  'pageTooLarge',
  'throttled',
  'gitlabUnauthorized',
  'unauthorized',
  'forbidden',
  'notFound',
  'conflict',
  'invalid',
  'agentNotConnected',
  'unreachable',
  'timeout',
  'torn',
  'malformed',
  'noIdentity',
  'server',
] as const;

/** Why a reflector does what it does next: `Step.why`. */
const REASONS = [
  'first sync',
  'taken over',
  'listed',
  'looking again',
  'defect',
  'list expired',
  'list failed',
  'watch failed',
  'stream outlived its time',
  'silent for too long',
  'stream ended',
  'stream ended early',
  'stream ended at once',
  'stream ended at once, again',
  'agent went away',
  'agent is away',
  'version expired',
  'expired again',
  'undecodable event',
  'undecodable event, again',
  'server error',
  'server error, again',
  'stream was cut',
  'watch refused as invalid',
  'refused; another viewer can open it',
  'refused, and nobody else is here',
  'no such resource',
  'throttled',
  'server is behind',
  'server stays behind what we know',
] as const;

/** Environment variables, and the fixed limits on shapes and on comparisons of fields. */
const LIMITS = [
  'AGENT_STREAM_BUDGET',
  'MAX_ALIASES',
  'MAX_BODY_BYTES',
  'MAX_COMPARISONS',
  'MAX_DEPTH',
  'MAX_FEEDS_PER_VIEWER',
  'MAX_MESSAGE_BYTES',
  'MAX_OPERATIONS_PER_SOCKET',
  'MAX_REQUEST_SECONDS',
  'MAX_ROOT_FIELDS',
  'MAX_SHAPES_PER_FEED',
  'MAX_SOCKET_SECONDS',
  'MAX_SOCKETS_PER_ADDRESS',
  'MAX_SOCKETS_PER_VIEWER',
  'MAX_SUBSCRIPTIONS_PER_VIEWER',
  'MAX_TOKENS',
  'MAX_UPGRADES_PER_SECOND',
] as const;

/** What happened since the process started. `kascade_<name>_total`. */
export const COUNTERS = {
  limits_hit: { help: 'Refusals by a limit, named by its environment variable.', labels: { limit: LIMITS } },
  denials: { help: 'Requests that somebody had no right to, by error code.', labels: { code: ERROR_CODES } },
  revocations: { help: 'Subscriptions ended because a right was lost, by error code.', labels: { code: ERROR_CODES } },
  reviews: {
    help: 'Access reviews asked of clusters, by result.',
    labels: { result: ['allowed', 'denied', 'failed'] },
  },
  mutations: {
    help: 'Changes asked for, by verb and what became of them.',
    labels: {
      verb: ['delete', 'reconnect', 'restart', 'scale', 'reconcile', 'suspend', 'resume'],
      decision: ['allowed', 'denied', 'failed'],
    },
  },
  service_token_problems: {
    help: 'Times the service token could not be used, by problem.',
    labels: { problem: ['refused', 'unreadable'] },
  },
  operations: {
    help: 'GraphQL operations, by type and whether there was an error in the answer; of subscriptions, the opening.',
    labels: { type: ['query', 'mutation', 'subscription'], result: ['ok', 'error'] },
  },
  lists: { help: 'Lists of whole collections asked of clusters, by why.', labels: { reason: REASONS } },
  watch_ends: { help: 'Watches of clusters that ended, by why.', labels: { reason: REASONS } },
  upstream_failures: {
    help: 'Requests to KAS and clusters that failed, by what for and how. malformed: could not be decoded.',
    labels: { during: ['list', 'watch', 'call'], failure: FAILURES },
  },
  upstream_ignored_messages: {
    help: "Messages on KAS's WebSocket that were not understood, or late for a watch that was given up.",
    labels: {},
  },
  deliveries: {
    help: 'Messages of subscriptions written to clients, by transport. shared: made once for all who get the same.',
    labels: { transport: ['websocket', 'sse'], mode: ['shared', 'plain'] },
  },
  updates_coalesced: {
    help: 'Messages that stood for several, to subscribers who were slow or asked for fewer (maxRate).',
    labels: {},
  },
  log_lines_skipped: { help: 'Log lines that came too fast for somebody who follows a log.', labels: {} },
  resumes: {
    help: 'Subscriptions with a cursor, by whether they went on from there or got a snapshot, and why.',
    labels: { result: ['RESUMED', 'HISTORY_EXPIRED', 'CURSOR_INVALID'] },
  },
  resyncs: {
    help: 'Snapshots in the middle of a subscription, by why.',
    labels: { reason: ['UPSTREAM_RESET', 'SLOW_CONSUMER'] },
  },
  slow_consumers_cut: {
    help: 'Clients cut off because they took nothing for 30 s.',
    labels: { transport: ['websocket', 'http'] },
  },
  sharing_events: {
    help: 'What happened between replicas that share watches, by event.',
    labels: {
      event: [
        'repaired',
        'loaded',
        'crossed',
        'started over',
        'fenced',
        'took over',
        'handed over',
        'demoted',
        'alone',
        'moved',
      ],
    },
  },
  defects: {
    help: 'Errors that should not exist, by where. The log has each.',
    labels: { where: ['operation', 'request', 'watch'] },
  },
} as const satisfies Record<string, CounterDescription>;

/** How things are at the moment of asking. `kascade_<name>`. */
export const GAUGES = {
  sockets: { help: 'WebSocket connections of clients.' },
  event_streams: { help: 'Streams of server-sent events to clients.' },
  subscriptions: {
    help: 'Subscriptions that are served. shared: together with all who get the same.',
    by: { label: 'mode', values: ['shared', 'plain'] },
  },
  shapes: { help: 'Groups of subscriptions that get the same bytes.' },
  queued_bytes: {
    help: 'Bytes that wait for clients to take them.',
    by: { label: 'transport', values: ['websocket', 'sse'] },
  },
  feeds: { help: 'Collections that are watched, or linger.' },
  watches: {
    help: 'Collections that this process lists and watches itself, by how that is going.',
    by: { label: 'state', values: ['CONNECTING', 'CONNECTED', 'DISCONNECTED'] },
  },
  stalest_watch_seconds: { help: 'The longest that a watch which is CONNECTED has said nothing.' },
  log_feeds: { help: 'Container logs that are followed.' },
  upstream_agents: { help: 'Agents that carry at least one stream for us.' },
  upstream_streams: { help: 'Upstream streams, over all agents.' },
  upstream_connections: {
    help: "What carries the watches: KAS's WebSockets, and HTTP streams.",
    by: { label: 'transport', values: ['websocket', 'http'] },
  },
  redis_up: { help: 'Whether replicas reach each other through Redis: 1 or 0. Nothing without REDIS_URL.' },
  shared_feeds: {
    help: 'Collections that replicas share, by what this one is in that.',
    by: { label: 'role', values: ['leading', 'following', 'alone'] },
  },
  sharing_unpublished_seconds: {
    help: 'The longest that this replica has had news it leads in and could not write them to Redis. Nothing without REDIS_URL.',
  },
  sharing_unheard_seconds: {
    help: 'The longest that the leader of a collection which this replica follows was not heard. Nothing without REDIS_URL.',
  },
  upstream_fullest_agent_ratio: { help: 'The part of AGENT_STREAM_BUDGET that is used by the agent that uses most.' },
} as const satisfies Record<string, GaugeDescription>;

/** How durations are distributed. `kascade_<name>`. */
export const HISTOGRAMS = {
  frame_age_seconds: {
    help: 'From the arrival of a change to the last write of its message to sockets. One observation a shape.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
} as const satisfies Record<string, HistogramDescription>;

export type CounterName = keyof typeof COUNTERS;
export type GaugeName = keyof typeof GAUGES;
export type HistogramName = keyof typeof HISTOGRAMS;

type LabelsIn<Values> = { readonly [Label in keyof Values]: Values[Label] extends readonly (infer V)[] ? V : never };

/** The labels that a counter is counted with. */
export type CounterLabels<Name extends CounterName> = LabelsIn<(typeof COUNTERS)[Name]['labels']>;

export type Limit = CounterLabels<'limits_hit'>['limit'];
export type MutationVerb = CounterLabels<'mutations'>['verb'];

/** What a gauge reads: a number, or one for each value of its label. Undefined: nothing to be said at the moment. */
export type GaugeReading<Name extends GaugeName> = (typeof GAUGES)[Name] extends {
  readonly by: { readonly values: readonly (infer Value extends string)[] };
}
  ? Readonly<Record<Value, number>>
  : number | undefined;
