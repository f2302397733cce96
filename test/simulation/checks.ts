import { stateOf } from './cluster/cluster.ts';
import { canonical } from './witness.ts';
import type { Replica } from './replica.ts';
import type { Simulation } from './simulation.ts';

const SAMPLE_MS = 1_000;
/** How old what a feed shows that says CONNECTED may be, in milliseconds. */
const FRESH_MS = 20_000;
/** How long it may be older for all that: what a list brings that was long in coming has to go its way, too. */
const FOR_A_MOMENT_MS = 7_000;
/** The same while a stream may be dead: silence is suspected after two minutes. */
const FRESH_IN_SILENCE_MS = 135_000;
/** The same when a stream may lie in the future of a history that was rewritten: it takes two silences to find out. */
const FRESH_AFTER_RESTORE_MS = 330_000;
/** How long after a disturbance there may be two watches of one feed, in milliseconds. */
const TWO_WATCHES_MS = 25_000;
/** Within what time after the faults everybody sees what there is, in milliseconds. */
const SETTLED_MS = 150_000;
/** The same when a stream may be dead, or lie in the future of a history that was rewritten. */
const SETTLED_AFTER_SILENCE_MS = 480_000;
/** How long after the last viewer everything is let go, in milliseconds. */
const RELEASED_MS = 30_000;
/** How long the last of what is written outlives it, in milliseconds. */
const KEPT_MS = 16 * 60_000;

/** Looks at all replicas once a second, at what must hold at any moment. */
export class Sampler {
  readonly #simulation: Simulation;
  /** When something last happened that lets two replicas watch for a while. */
  #disturbedAt = 0;
  /** When there was one watch at most. */
  #oneSince = 0;
  #silencedAt = Number.NEGATIVE_INFINITY;
  /** When what a replica shows was last as new as it said, or nothing was said. */
  readonly #honestAt = new Map<Replica, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  start(): void {
    const { timeline } = this.#simulation;
    timeline.after(SAMPLE_MS, () => {
      this.#look();
      this.start();
    });
  }

  disturbed(): void {
    this.#disturbedAt = this.#simulation.timeline.now;
  }

  /** A stream was made to say nothing any more, or a history to lie behind it. */
  silenced(): void {
    this.#silencedAt = this.#simulation.timeline.now;
  }

  get mayBeSilent(): boolean {
    return this.#simulation.timeline.now - this.#silencedAt < SETTLED_AFTER_SILENCE_MS;
  }

  get #freshness(): number {
    const { cluster, timeline } = this.#simulation;
    // Whoever takes over in such a history begins to count its silences anew.
    const since = Math.max(cluster.restoredAt ?? Number.NEGATIVE_INFINITY, this.#disturbedAt);
    if (cluster.restoredAt !== undefined && timeline.now - since < FRESH_AFTER_RESTORE_MS) return Infinity;
    return this.mayBeSilent ? FRESH_IN_SILENCE_MS : FRESH_MS;
  }

  thawed(replica: Replica): void {
    this.disturbed();
    this.#honestAt.set(replica, this.#simulation.timeline.now);
  }

  #look(): void {
    const { timeline, replicas, oracle } = this.#simulation;
    const awake = replicas.filter(({ process }) => !process.isFrozen);
    if (awake.length < replicas.length || awake.some(({ isOpen }) => !isOpen)) this.disturbed();
    for (const replica of awake) this.#mustBeHonest(replica);
    const watches = awake.flatMap(({ name, source }) => Array.from({ length: source.reflections }, () => name));
    // A replica that has just opened its feed anew hands over to itself.
    if (watches.length < 2) this.#oneSince = timeline.now;
    if (timeline.now - Math.max(this.#disturbedAt, this.#oneSince) > TWO_WATCHES_MS) {
      oracle.violated('C2', `${watches.join(' and ')} have been watching all along`);
    }
  }

  #mustBeHonest(replica: Replica): void {
    const { timeline, oracle } = this.#simulation;
    const lie = this.#lie(replica);
    if (lie === undefined) this.#honestAt.set(replica, timeline.now);
    else if (timeline.now - (this.#honestAt.get(replica) ?? 0) > FOR_A_MOMENT_MS) oracle.violated('D7', lie);
  }

  /** What is older than it may be though the feed says CONNECTED. */
  #lie(replica: Replica): string | undefined {
    const { timeline, cluster } = this.#simulation;
    const { feed } = replica;
    if (feed?.synced !== true || feed.status.state !== 'CONNECTED') return undefined;
    for (const [uid, state] of cluster.settledBy(timeline.now - this.#freshness)) {
      const object = feed.get(uid);
      const held = object === undefined ? null : stateOf(object);
      if (held === state) continue;
      return `${replica.name} says CONNECTED and holds ${held ?? 'nothing'} for ${state ?? `${uid}, which is gone`}`;
    }
    return undefined;
  }
}

/** After quiet everybody sees what there is, through one watch. */
export async function checkSettled(simulation: Simulation): Promise<void> {
  const { timeline, sampler, oracle, journal } = simulation;
  const bound = sampler.mayBeSilent ? SETTLED_AFTER_SILENCE_MS : SETTLED_MS;
  const end = timeline.now + bound;
  let missing = unsettled(simulation);
  while (missing !== undefined && timeline.now < end && simulation.isFine) {
    await timeline.pass(1_000);
    missing = unsettled(simulation);
  }
  if (missing !== undefined) oracle.violated('D1', `after ${bound / 1_000} s of quiet: ${missing}`);
  if (missing !== undefined || !simulation.isFine) return;
  journal.event('settled');
  await timeline.pass(10_000);
  const again = unsettled(simulation);
  if (again !== undefined) oracle.violated('D1', `not for long: ${again}`);
}

function unsettled({ subscribers, replicas, cluster, redis }: Simulation): string | undefined {
  const watching = replicas.filter(({ source }) => source.reflections > 0);
  const here = subscribers.filter(({ isHere }) => isHere);
  if (watching.length !== Math.min(1, here.length)) return `${watching.length} replicas watch`;
  for (const { name, feed, hub } of replicas) {
    if (hub.size > 0 && feed?.status.state !== 'CONNECTED') return `${name} says ${feed?.status.state}`;
  }
  for (const { name, witness, taste, home } of here) {
    const wanted = canonical(cluster.objects.filter((object) => taste.filter?.matches(object) ?? true));
    if (witness.states !== wanted) return `${name} on ${home?.name} sees [${witness.states}], not [${wanted}]`;
  }
  if (here.length > 0 && redis.store.keys.length === 0) return 'nothing is written down';
  return undefined;
}

/** After the last viewer nothing is held upstream, and in a while nothing in Redis. */
export async function checkReleased(simulation: Simulation): Promise<void> {
  const { timeline, oracle, replicas, redis, cluster } = simulation;
  await timeline.pass(RELEASED_MS);
  for (const { name, hub, source } of replicas) {
    if (hub.size > 0) oracle.violated('C3', `${name} has ${hub.size} feeds open for nobody`);
    if (source.reflections > 0) oracle.violated('C3', `${name} watches for nobody`);
  }
  const served = cluster.fronts.flatMap(({ streams }) => streams).length;
  if (served > 0) oracle.violated('C3', `${served} streams are open for nobody`);
  const lease = redis.store.keys.find((key) => key.endsWith(':lease'));
  if (lease !== undefined) oracle.violated('C3', `${lease} is held for nobody`);
  const heard = redis.channels.find((channel) => channel.endsWith(':channel'));
  if (heard !== undefined) oracle.violated('C3', `${heard} is listened to for nobody`);
  redis.store.expire(redis.now + KEPT_MS);
  if (redis.store.keys.length > 0) oracle.violated('C3', `${redis.store.keys.join(' ')} stay in Redis for ever`);
}
