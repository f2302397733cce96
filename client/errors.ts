/** Where KAS or the cluster said no. */
export interface Upstream {
  readonly status?: number;
  readonly reason?: string;
  readonly traceId?: string;
}

interface Details {
  readonly code?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly remedy?: string | undefined;
  readonly upstream?: Upstream | undefined;
  readonly cause?: unknown;
}

/** What went wrong, whether trying again can help, and what to do about it. */
export class KascadeError extends Error {
  override readonly name = 'KascadeError';
  /** A code of the public contract, such as FORBIDDEN; NETWORK when the server could not be reached or sent us away. */
  readonly code: string;
  readonly retryable: boolean;
  readonly remedy: string | undefined;
  readonly upstream: Upstream | undefined;

  constructor(message: string, { code = 'INTERNAL', retryable = false, remedy, upstream, cause }: Details = {}) {
    super(message, { cause });
    this.code = code;
    this.retryable = retryable;
    this.remedy = remedy;
    this.upstream = upstream;
  }
}

/** Close codes that mean a defect of one side or the other: the same would happen again. */
const FATAL_CLOSE_CODES = new Set([4400, 4401, 4406, 4409, 4429, 4500]);
const PASSING_CLOSE_CODES = new Set([1000, 1001, 1005, 1006, 1012, 1013, 1014]);

/** Whatever a transport reports: GraphQL errors (one or several), a CloseEvent, something thrown. */
export function toKascadeError(reported: unknown): KascadeError {
  if (reported instanceof KascadeError) return reported;
  const first: unknown = Array.isArray(reported) ? reported[0] : reported;
  if (isRecord(first) && typeof first['code'] === 'number') return ofCloseEvent(first['code'], first['reason']);
  if (isRecord(first) && isRecord(first['extensions'])) return ofGraphQLError(first, first['extensions']);
  if (Array.isArray(reported) && isRecord(first)) return ofGraphQLError(first, {});
  return new KascadeError('The server cannot be reached.', { code: 'NETWORK', retryable: true, cause: reported });
}

function ofCloseEvent(code: number, reason: unknown): KascadeError {
  const retryable = PASSING_CLOSE_CODES.has(code) || (code >= 4000 && !FATAL_CLOSE_CODES.has(code));
  const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
  return new KascadeError(`The connection was closed (${code}${why}).`, { code: 'NETWORK', retryable });
}

function ofGraphQLError(error: Record<string, unknown>, extensions: Record<string, unknown>): KascadeError {
  const { code, retryable, remedy, upstream } = extensions;
  return new KascadeError(String(error['message']), {
    code: typeof code === 'string' ? code : undefined,
    retryable: retryable === true,
    remedy: typeof remedy === 'string' ? remedy : undefined,
    upstream: isRecord(upstream) ? upstream : undefined,
    cause: error,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
