import { ApiError, type ErrorCode } from '../../errors.ts';
import type { ConnectionState, HopName, ReflectorStatus, Transport } from '../../sources/status.ts';

/** A reflector's status without clocks: each time as milliseconds ago, or to come, since replicas' clocks differ. */
export interface RelativeStatus {
  readonly state: ConnectionState;
  readonly agoMs: number;
  readonly error: { readonly code: ErrorCode; readonly message: string } | undefined;
  readonly final: boolean;
  readonly attempts: number;
  readonly retryInMs: number | undefined;
  readonly transport: Transport | undefined;
  readonly hops: readonly {
    readonly name: HopName;
    readonly status: ConnectionState;
    readonly reason: string | undefined;
    readonly agoMs: number;
  }[];
  /** How long ago the watch last proved to be complete. */
  readonly freshAgoMs: number;
}

/** Two replicas' ideas of one moment, told apart only when they differ by more than messages take. */
const SAME_MOMENT_MS = 2_000;

export function relative(status: ReflectorStatus, freshAsOf: number, now: number): RelativeStatus {
  const { state, since, error, final, attempts, nextRetryAt, transport, hops } = status;
  return {
    state,
    agoMs: now - since,
    error: error && { code: error.code, message: error.message },
    final,
    attempts,
    retryInMs: nextRetryAt === undefined ? undefined : nextRetryAt - now,
    transport,
    hops: hops.map(({ name, status: hop, reason, since: hopSince }) => ({
      name,
      status: hop,
      reason,
      agoMs: now - hopSince,
    })),
    freshAgoMs: now - freshAsOf,
  };
}

/** The same by this replica's clock. Moments that are those of `previous` stay as they were told. */
export function absolute(status: RelativeStatus, previous: ReflectorStatus, now: number): ReflectorStatus {
  const { state, error, final, attempts, transport } = status;
  const before = new Map(previous.hops.map(({ name, since }) => [name, since]));
  return {
    state,
    since: moment(now - status.agoMs, previous.since),
    error: error && new ApiError(error.code, error.message),
    final,
    attempts,
    nextRetryAt: status.retryInMs === undefined ? undefined : moment(now + status.retryInMs, previous.nextRetryAt),
    transport,
    hops: status.hops.map(({ name, status: hop, reason, agoMs }) => ({
      name,
      status: hop,
      reason,
      since: moment(now - agoMs, before.get(name)),
    })),
  };
}

function moment(time: number, known: number | undefined): number {
  return known !== undefined && Math.abs(time - known) < SAME_MOMENT_MS ? known : time;
}
