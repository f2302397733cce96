import type { ApiError, ErrorCode } from '../errors.ts';

export type ConnectionState = 'CONNECTING' | 'CONNECTED' | 'DISCONNECTED';
export type Transport = 'WEBSOCKET' | 'HTTP_STREAM';

/** The stations on the way from Kascade to the cluster. */
export type HopName = 'server' | 'redis' | 'kas' | 'agent' | 'cluster';

export interface Hop {
  readonly name: HopName;
  readonly status: ConnectionState;
  readonly reason: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What a reflector says of its watch. Times are milliseconds since 1970. */
export interface ReflectorStatus {
  readonly state: ConnectionState;
  readonly since: number;
  /** Why it is not CONNECTED; undefined while nothing has gone wrong yet. */
  readonly error: ApiError | undefined;
  /** Nothing is being tried any more, but for a look once in a while: refused, or no such resource. */
  readonly final: boolean;
  /** Failed tries since the watch was last connected. */
  readonly attempts: number;
  readonly nextRetryAt: number | undefined;
  readonly transport: Transport | undefined;
  readonly hops: readonly Hop[];
}

/** The same as users are told it. */
export interface WatchStatus extends Omit<ReflectorStatus, 'error' | 'final'> {
  /** Last proof that the stream was alive and complete; undefined before the first sync. */
  readonly freshAsOf: number | undefined;
  readonly reason: ErrorCode | undefined;
  readonly message: string | undefined;
}

/** The ways that there are to a cluster. */
export const THROUGH_KAS: readonly HopName[] = ['server', 'kas', 'agent', 'cluster'];
export const DIRECT: readonly HopName[] = ['server', 'cluster'];

/**
 * Hops as far as they are known: all before the one at fault have passed something on, those behind it are
 * out of sight and said to be CONNECTING rather than guessed at. A fault at a station that is not on the way is the
 * cluster's.
 */
export function hops(
  way: readonly HopName[],
  state: ConnectionState,
  since: number,
  fault: { readonly hop: HopName; readonly reason: string } | undefined,
): Hop[] {
  const at = fault?.hop !== undefined && way.includes(fault.hop) ? fault.hop : 'cluster';
  const broken = fault === undefined ? -1 : way.indexOf(at);
  return way.map((name, index) => {
    if (broken < 0) return { name, status: name === 'server' ? 'CONNECTED' : state, reason: undefined, since };
    if (index < broken) return { name, status: 'CONNECTED', reason: undefined, since };
    if (index > broken) return { name, status: 'CONNECTING', reason: undefined, since };
    return { name, status: state === 'CONNECTED' ? 'CONNECTED' : 'DISCONNECTED', reason: fault?.reason, since };
  });
}
