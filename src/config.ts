import { z } from 'zod';
import { isLoopback } from './loopback.ts';
import {
  isHost,
  oneOf,
  toBasePath,
  toKasUrl,
  toOrigins,
  toRedisAddress,
  toServiceAddress,
  trueOrFalse,
  wholeNumber,
} from './config-values.ts';
import type { RedisAddress } from './pubsub/redis/redis-url.ts';
import type { ServiceAddress } from './sources/actions.ts';
import { readTracing, TRACING_DEFAULTS, type TracingSettings } from './tracing/settings.ts';

/** What the environment asks for, checked. One field a variable, named alike. */
export type Config = Readonly<{
  kasUrl: URL | undefined;
  kubeconfigSource: string | undefined;
  redis: RedisAddress | undefined;
  host: string;
  port: number;
  /** '/' or '/a/b': never ends with a slash otherwise. */
  basePath: string;
  /** Exact origins. Empty: only the origin the request itself was sent to. */
  allowedOrigins: readonly string[];
  watchTransport: 'auto' | 'websocket' | 'http';
  serviceTokenFile: string | undefined;
  /** The Prometheus of each cluster; undefined: none. */
  prometheusService: ServiceAddress | undefined;
  sharing: 'authorized' | 'identity';
  lingerSeconds: number;
  accessAllowSeconds: number;
  accessDenySeconds: number;
  agentStreamBudget: number;
  maxSocketsPerViewer: number;
  /** 0: not limited. */
  maxSocketsPerAddress: number;
  maxOperationsPerSocket: number;
  maxSubscriptionsPerViewer: number;
  maxFeedsPerViewer: number;
  /** 0: not limited. */
  maxUpgradesPerSecond: number;
  /** 0: not limited. */
  maxSocketSeconds: number;
  maxRequestSeconds: number;
  /** 0: all clients at once. */
  drainSeconds: number;
  maxTokens: number;
  maxDepth: number;
  maxAliases: number;
  maxRootFields: number;
  maxMessageBytes: number;
  maxBodyBytes: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  graphiql: boolean;
  introspection: boolean;
  /** Where spans go; undefined: nowhere. */
  tracing: TracingSettings | undefined;
}>;

/** The value of every variable that is not set. `undefined`: there is none. */
export const DEFAULTS = {
  KAS_URL: undefined,
  KUBECONFIG_SOURCE: undefined,
  REDIS_URL: undefined,
  HOST: '127.0.0.1',
  PORT: '4000',
  BASE_PATH: '/',
  ALLOWED_ORIGINS: undefined,
  WATCH_TRANSPORT: 'auto',
  SERVICE_TOKEN_FILE: undefined,
  PROMETHEUS_SERVICE: undefined,
  SHARING: 'authorized',
  LINGER_SECONDS: '30',
  ACCESS_ALLOW_SECONDS: '60',
  ACCESS_DENY_SECONDS: '10',
  AGENT_STREAM_BUDGET: '100',
  MAX_SOCKETS_PER_VIEWER: '10',
  MAX_SOCKETS_PER_ADDRESS: '0',
  MAX_OPERATIONS_PER_SOCKET: '50',
  MAX_SUBSCRIPTIONS_PER_VIEWER: '200',
  MAX_FEEDS_PER_VIEWER: '50',
  MAX_UPGRADES_PER_SECOND: '500',
  MAX_SOCKET_SECONDS: '14400',
  MAX_REQUEST_SECONDS: '30',
  DRAIN_SECONDS: '10',
  MAX_TOKENS: '2000',
  MAX_DEPTH: '12',
  MAX_ALIASES: '30',
  MAX_ROOT_FIELDS: '20',
  MAX_MESSAGE_BYTES: '65536',
  MAX_BODY_BYTES: '131072',
  LOG_LEVEL: 'info',
  GRAPHIQL: 'true',
  INTROSPECTION: 'true',
  ...TRACING_DEFAULTS,
} as const satisfies Record<string, string | undefined>;

/** The environment asks for something that cannot be. Names every wrong variable, and shows the value of none. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['Kascade cannot start:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const variables = withDefaults(env);
  const parsed = Environment.safeParse(variables);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describe));
  const tracing = readTracing(variables);
  const config: Config = { ...named(parsed.data), tracing: tracing.settings };
  const problems = [...contradictions(config), ...tracing.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

const Environment = z.object({
  KAS_URL: z.string().transform(toKasUrl).optional(),
  KUBECONFIG_SOURCE: z.string().optional(),
  REDIS_URL: z.string().transform(toRedisAddress).optional(),
  HOST: z.string().refine(isHost, 'must be an IP address or a host name'),
  PORT: wholeNumber(0, 65_535),
  BASE_PATH: z.string().transform(toBasePath),
  ALLOWED_ORIGINS: z.string().default('').transform(toOrigins),
  WATCH_TRANSPORT: oneOf('auto', 'websocket', 'http'),
  SERVICE_TOKEN_FILE: z.string().optional(),
  PROMETHEUS_SERVICE: z.string().transform(toServiceAddress).optional(),
  SHARING: oneOf('authorized', 'identity'),
  LINGER_SECONDS: wholeNumber(0, 86_400),
  ACCESS_ALLOW_SECONDS: wholeNumber(1, 3_600),
  ACCESS_DENY_SECONDS: wholeNumber(0, 3_600),
  AGENT_STREAM_BUDGET: wholeNumber(1, 500),
  MAX_SOCKETS_PER_VIEWER: wholeNumber(1, 1_000_000),
  MAX_SOCKETS_PER_ADDRESS: wholeNumber(0, 1_000_000),
  MAX_OPERATIONS_PER_SOCKET: wholeNumber(1, 1_000_000),
  MAX_SUBSCRIPTIONS_PER_VIEWER: wholeNumber(1, 1_000_000),
  MAX_FEEDS_PER_VIEWER: wholeNumber(1, 1_000_000),
  MAX_UPGRADES_PER_SECOND: wholeNumber(0, 1_000_000),
  MAX_SOCKET_SECONDS: wholeNumber(0, 604_800),
  MAX_REQUEST_SECONDS: wholeNumber(1, 3_600),
  DRAIN_SECONDS: wholeNumber(0, 3_600),
  MAX_TOKENS: wholeNumber(100, 1_000_000),
  MAX_DEPTH: wholeNumber(3, 1_000),
  MAX_ALIASES: wholeNumber(0, 10_000),
  MAX_ROOT_FIELDS: wholeNumber(1, 1_000),
  MAX_MESSAGE_BYTES: wholeNumber(1_024, 16_777_216),
  MAX_BODY_BYTES: wholeNumber(1_024, 16_777_216),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  GRAPHIQL: trueOrFalse(),
  INTROSPECTION: trueOrFalse(),
});

function named(variables: z.output<typeof Environment>): Omit<Config, 'tracing'> {
  return {
    kasUrl: variables.KAS_URL,
    kubeconfigSource: variables.KUBECONFIG_SOURCE,
    redis: variables.REDIS_URL,
    host: variables.HOST,
    port: variables.PORT,
    basePath: variables.BASE_PATH,
    allowedOrigins: variables.ALLOWED_ORIGINS,
    watchTransport: variables.WATCH_TRANSPORT,
    serviceTokenFile: variables.SERVICE_TOKEN_FILE,
    prometheusService: variables.PROMETHEUS_SERVICE,
    sharing: variables.SHARING,
    lingerSeconds: variables.LINGER_SECONDS,
    accessAllowSeconds: variables.ACCESS_ALLOW_SECONDS,
    accessDenySeconds: variables.ACCESS_DENY_SECONDS,
    agentStreamBudget: variables.AGENT_STREAM_BUDGET,
    maxSocketsPerViewer: variables.MAX_SOCKETS_PER_VIEWER,
    maxSocketsPerAddress: variables.MAX_SOCKETS_PER_ADDRESS,
    maxOperationsPerSocket: variables.MAX_OPERATIONS_PER_SOCKET,
    maxSubscriptionsPerViewer: variables.MAX_SUBSCRIPTIONS_PER_VIEWER,
    maxFeedsPerViewer: variables.MAX_FEEDS_PER_VIEWER,
    maxUpgradesPerSecond: variables.MAX_UPGRADES_PER_SECOND,
    maxSocketSeconds: variables.MAX_SOCKET_SECONDS,
    maxRequestSeconds: variables.MAX_REQUEST_SECONDS,
    drainSeconds: variables.DRAIN_SECONDS,
    maxTokens: variables.MAX_TOKENS,
    maxDepth: variables.MAX_DEPTH,
    maxAliases: variables.MAX_ALIASES,
    maxRootFields: variables.MAX_ROOT_FIELDS,
    maxMessageBytes: variables.MAX_MESSAGE_BYTES,
    maxBodyBytes: variables.MAX_BODY_BYTES,
    logLevel: variables.LOG_LEVEL,
    graphiql: variables.GRAPHIQL,
    introspection: variables.INTROSPECTION,
  };
}

function contradictions(config: Config): string[] {
  const problems: string[] = [];
  if (config.kasUrl === undefined && config.kubeconfigSource === undefined) {
    problems.push(
      'KAS_URL must be set, to the base URL of KAS\'s k8s-proxy: "https://kas.example.com/k8s-proxy"; or KUBECONFIG_SOURCE.',
    );
  }
  if (config.kasUrl !== undefined && config.kubeconfigSource !== undefined) {
    problems.push('KAS_URL and KUBECONFIG_SOURCE must not be set together.');
  }
  if (config.serviceTokenFile !== undefined && config.sharing === 'identity') {
    problems.push('SERVICE_TOKEN_FILE must not be set with SHARING=identity: each viewer has watches of their own.');
  }
  if (config.kubeconfigSource !== undefined) problems.push(...contradictionsToKubeconfig(config));
  return problems;
}

function contradictionsToKubeconfig(config: Config): string[] {
  const wrong: [isWrong: boolean, problem: string][] = [
    [
      !isLoopback(config.host),
      'HOST must be a loopback address with KUBECONFIG_SOURCE: its credentials serve everybody who can connect.',
    ],
    [
      config.watchTransport === 'websocket',
      'WATCH_TRANSPORT must not be websocket with KUBECONFIG_SOURCE: only KAS has that WebSocket.',
    ],
    [
      config.serviceTokenFile !== undefined,
      'SERVICE_TOKEN_FILE must not be set with KUBECONFIG_SOURCE, whose own credentials open all watches.',
    ],
    [
      config.redis !== undefined,
      'REDIS_URL must not be set with KUBECONFIG_SOURCE, which is served by one process on loopback.',
    ],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, problem]) => problem);
}

/** Shells, compose files and charts pass "not set" as an empty string. */
function withDefaults(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  return Object.fromEntries(names.map((name) => [name, env[name]?.trim() || DEFAULTS[name]]));
}

function describe(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.')} ${issue.message}.`;
}
