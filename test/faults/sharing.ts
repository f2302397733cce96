import { eventually } from '../support/eventually.ts';
import type { ProxiedConnection } from '../support/processes/tcp-proxy.ts';
import type { RedisServer } from '../support/processes/redis-server.ts';
import type { RecordingClient } from '../support/recording/recording-client.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

/** Who leads, who follows, and over which connections: seen from outside, from what passes the lines. */

export function theRedis({ redis }: Stage): RedisServer {
  if (redis === undefined) throw new Error('this stage has no Redis');
  return redis;
}

/** The one that holds the watch of pods. */
export function leaderOf(stage: Stage): Actor {
  const [leader, another] = stage.watchers;
  if (leader === undefined || another !== undefined)
    throw new Error(`${stage.watchers.length} replicas hold the watch`);
  return leader;
}

export function followersOf(stage: Stage): Actor[] {
  const leader = leaderOf(stage);
  return stage.actors.filter((actor) => actor !== leader);
}

/** The viewers that stay with this replica. */
export function viewersOf(stage: Stage, { replica }: Actor): RecordingClient[] {
  return stage.clients.filter(({ name }) => name.endsWith(` of ${replica.name}`));
}

/** All but the viewers that stay with this replica. */
export function viewersWithout(stage: Stage, actor: Actor): RecordingClient[] {
  const own = viewersOf(stage, actor);
  return stage.clients.filter((client) => !own.includes(client));
}

/** The connections to Redis on which a replica listens. */
export function subscriptions({ toRedis }: Actor): ProxiedConnection[] {
  return (toRedis?.connections ?? []).filter(({ said }) => /\r\ns?p?subscribe\r\n/i.test(said));
}

/** Lease, handover and staggering included, it does not take longer until the replicas share one watch again. */
const ONE_WATCH_MS = 45_000;

export function oneWatchAgain(stage: Stage): Promise<void> {
  const isOne = () => stage.watches.length === 1 && stage.watchers.length === 1;
  return eventually('the replicas share one watch again', isOne, ONE_WATCH_MS, () => stage.watches.length);
}

/**
 * Every sort of change reaches every viewer within `boundSeconds` after `mark`, and once more when the replicas share
 * one watch again. Returns after how many seconds they had the first.
 */
export async function togetherAgain(stage: Stage, mark: number, boundSeconds: number): Promise<number> {
  stage.changeEverySort();
  const seconds = await stage.secondsToConverge(mark, boundSeconds);
  await oneWatchAgain(stage);
  stage.changeEverySort();
  await stage.converged(5_000);
  return seconds;
}
