/** Where spans go, from OpenTelemetry's own environment variables. */
export interface TracingSettings {
  /** The whole address, such as http://collector:4318/v1/traces. */
  readonly url: string;
  readonly serviceName: string;
  readonly sampler: Sampler;
  /** The part of all traces that is recorded, for the samplers by ratio: 0 to 1. */
  readonly ratio: number;
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type Sampler = (typeof SAMPLERS)[number];

/** The value of every variable that is read here and not set. */
export const TRACING_DEFAULTS = {
  OTEL_SDK_DISABLED: 'false',
  OTEL_TRACES_EXPORTER: undefined,
  OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: undefined,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  OTEL_SERVICE_NAME: 'kascade',
  OTEL_TRACES_SAMPLER: 'parentbased_always_on',
  OTEL_TRACES_SAMPLER_ARG: '1',
} as const;

type Variables = Readonly<Partial<Record<keyof typeof TRACING_DEFAULTS, string | undefined>>>;

const DEFAULT_ENDPOINT = 'http://localhost:4318';

/**
 * Spans are exported when there is an endpoint, or when OTEL_TRACES_EXPORTER asks for it by name. What the variables
 * ask for and cannot be had is a problem; while nothing is to be exported, they are nobody's business.
 */
export function readTracing(env: Variables): {
  readonly settings: TracingSettings | undefined;
  readonly problems: string[];
} {
  const exporter = env.OTEL_TRACES_EXPORTER;
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const whole = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const isAsked = exporter === undefined ? (whole ?? base) !== undefined : exporter !== 'none';
  if (!isAsked || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return { settings: undefined, problems: [] };
  const url = whole ?? `${(base ?? DEFAULT_ENDPOINT).replace(/\/+$/, '')}/v1/traces`;
  const sampler = SAMPLERS.find((each) => each === env.OTEL_TRACES_SAMPLER);
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG);
  const problems: string[] = [];
  if (exporter !== undefined && exporter !== 'otlp') problems.push('OTEL_TRACES_EXPORTER must be otlp or none.');
  if (env.OTEL_EXPORTER_OTLP_PROTOCOL !== 'http/protobuf')
    problems.push('OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf.');
  if (!isAddress(url))
    problems.push(
      `${whole === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'} must be http(s)://host[:port][/path], without user or password.`,
    );
  if (sampler === undefined) problems.push(`OTEL_TRACES_SAMPLER must be one of ${SAMPLERS.join(', ')}.`);
  if (!(ratio >= 0 && ratio <= 1)) problems.push('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1.');
  if (problems.length > 0 || sampler === undefined) return { settings: undefined, problems };
  return { settings: { url, serviceName: env.OTEL_SERVICE_NAME ?? 'kascade', sampler, ratio }, problems: [] };
}

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username + password === '';
}
