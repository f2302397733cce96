import type { Refusal } from './cluster/cluster.ts';
import type { Replica } from './replica.ts';
import type { Simulation } from './simulation.ts';

export interface Action {
  readonly weight: number;
  /** Does it, and says what it was. Undefined when there was nothing to do it to. */
  readonly act: (simulation: Simulation) => string | undefined;
}

const REFUSALS: readonly Refusal[] = ['throttled', 'server', 'unreachable', 'agentNotConnected', 'torn', 'malformed'];

// ---- the cluster changes

/** What may happen when no replica runs. */
export const CHANGES: readonly Action[] = [
  { weight: 10, act: (simulation) => changed(simulation, 'create') },
  { weight: 22, act: (simulation) => changed(simulation, 'update') },
  { weight: 10, act: (simulation) => changed(simulation, 'delete') },
  {
    weight: 4,
    act: (simulation) => {
      const times = simulation.chance.integer(3, 25);
      for (let index = 0; index < times; index += 1) changed(simulation, simulation.chance.pick(['update', 'create']));
      return `${times} changes at once`;
    },
  },
  {
    weight: 2,
    act: ({ cluster }) => {
      cluster.elsewhere();
      return 'something changes elsewhere';
    },
  },
];

function changed({ cluster, anyName: name }: Simulation, what: 'create' | 'update' | 'delete'): string {
  cluster[what](name);
  return `${what} ${name}`;
}

// ---- and misbehaves

const CLUSTER_FAULTS: readonly Action[] = [
  {
    weight: 3,
    act: ({ cluster }) => {
      cluster.compact();
      return 'the cluster compacts its history';
    },
  },
  {
    weight: 3,
    act: ({ cluster, chance }) => {
      const refusal = chance.pick(REFUSALS);
      const times = chance.integer(1, 4);
      cluster.refuseNext(refusal, times);
      for (const stream of chance.pick(cluster.fronts).streams) stream.end({ kind: 'clean' });
      return `streams end, and the next ${times} requests meet ${refusal}`;
    },
  },
  {
    weight: 1,
    act: ({ cluster, chance, sampler }) => {
      const silenced = cluster.fronts.flatMap(({ streams }) => streams);
      if (silenced.length === 0 || !chance.isLucky(0.3)) return undefined;
      sampler.silenced();
      for (const stream of silenced) stream.silence();
      return 'streams fall silent for ever';
    },
  },
  {
    weight: 2,
    act: (simulation) => {
      const front = simulation.chance.pick(simulation.cluster.fronts);
      front.fallBehind();
      return forSome(simulation, 'an API server is behind', 5_000, () => front.heal());
    },
  },
  {
    weight: 0.4,
    act: ({ cluster }) => {
      cluster.backUp();
      return 'the cluster is backed up';
    },
  },
  {
    weight: 0.8,
    act: ({ cluster, sampler, journal }) => {
      if (!cluster.restore()) return undefined;
      sampler.silenced();
      journal.sometimes.note('history rewritten');
      return 'the cluster is restored from its backup';
    },
  },
  {
    weight: 1,
    act: (simulation) => {
      const replica = simulation.chance.pick(simulation.replicas);
      replica.source.isFull = true;
      return forSome(
        simulation,
        `no stream is left for ${replica.name}`,
        10_000,
        () => (replica.source.isFull = false),
      );
    },
  },
];

// ---- Redis

const REDIS_FAULTS: readonly Action[] = [
  { weight: 3, act: (simulation) => lane(simulation, 'cannot reach Redis', ({ link }) => link.hold()) },
  { weight: 3, act: (simulation) => lane(simulation, 'gets no answers from Redis', ({ link }) => link.down.hold()) },
  {
    weight: 3,
    act: (simulation) => {
      const replica = simulation.chance.pick(simulation.replicas);
      simulation.sampler.disturbed();
      replica.link.cut();
      return `the connections of ${replica.name} to Redis break`;
    },
  },
  {
    weight: 3,
    act: ({ chance, replicas }) => {
      const { link, name } = chance.pick(replicas);
      link.messagesToLose = chance.integer(1, 5);
      return `${link.messagesToLose} messages to ${name} are lost`;
    },
  },
  {
    weight: 2,
    act: (simulation) => {
      const { redis, chance, journal, replicas } = simulation;
      const lost = redis.failOver(chance.integer(0, 8));
      if (lost > 0) journal.sometimes.note('failover: writes lost');
      for (const { link } of replicas) link.open();
      return forSome(simulation, `Redis fails over, ${lost} writes are lost`, 3_000, takeDown(simulation));
    },
  },
  {
    weight: 1,
    act: (simulation) => {
      const back = takeDown(simulation);
      const isEmptied = simulation.chance.isLucky(0.5);
      if (isEmptied) simulation.redis.forget();
      return forSome(simulation, `Redis goes away${isEmptied ? ' and forgets everything' : ''}`, 20_000, back);
    },
  },
  {
    weight: 1,
    act: ({ redis, sampler }) => {
      sampler.disturbed();
      redis.flush();
      return 'Redis is emptied';
    },
  },
  {
    weight: 1,
    act: (simulation) => refused(simulation, 'writes', "READONLY You can't write against a read only replica."),
  },
  {
    weight: 1,
    act: (simulation) => refused(simulation, 'memory', "OOM command not allowed when used memory > 'maxmemory'."),
  },
];

function lane(simulation: Simulation, what: string, close: (replica: Replica) => void): string {
  const replica = simulation.chance.pick(simulation.replicas);
  close(replica);
  return forSome(simulation, `${replica.name} ${what}`, 15_000, () => replica.link.open());
}

function takeDown({ redis }: Simulation): () => void {
  redis.stop();
  return () => redis.start();
}

function refused(simulation: Simulation, of: 'writes' | 'memory', message: string): string {
  const { redis, journal } = simulation;
  redis.refusal = { of, message };
  if (of === 'memory') journal.sometimes.note('Redis: out of memory');
  return forSome(simulation, `Redis refuses: ${message}`, 10_000, () => (redis.refusal = undefined));
}

// ---- replicas

const REPLICA_FAULTS: readonly Action[] = [
  {
    weight: 2,
    act: (simulation) => {
      const replica = simulation.chance.pick(simulation.replicas);
      crash(simulation, replica);
      return forSome(simulation, `${replica.name} crashes`, 15_000, () => replaced(simulation));
    },
  },
  {
    weight: 0.3,
    act: (simulation) => {
      for (const replica of simulation.replicas) crash(simulation, replica);
      return forSome(simulation, 'all replicas crash', 30_000, () => {
        for (let index = 0; index < 3; index += 1) replaced(simulation);
      });
    },
  },
  {
    weight: 2,
    act: (simulation) => {
      const open = simulation.replicas.filter(({ isOpen, process }) => isOpen && !process.isFrozen);
      if (open.length < 2) return undefined;
      const replica = simulation.chance.pick(open);
      simulation.sampler.disturbed();
      replica.stop(
        () => simulation.dismiss(replica),
        () => simulation.journal.event(`${replica.name} has stopped`),
      );
      if (simulation.chance.isLucky(0.5)) simulation.addReplica();
      else simulation.timeline.after(simulation.chance.between(100, 10_000), () => replaced(simulation));
      return `${replica.name} is told to stop`;
    },
  },
  {
    weight: 3,
    act: (simulation) => {
      const replica = simulation.chance.pick(simulation.replicas);
      if (replica.process.isFrozen) return undefined;
      replica.process.freeze();
      return forSome(simulation, `${replica.name} stands still`, 25_000, () => simulation.thaw(replica));
    },
  },
];

function crash(simulation: Simulation, replica: Replica): void {
  replica.crash();
  simulation.dismiss(replica);
}

function replaced(simulation: Simulation): void {
  if (simulation.replicas.filter(({ isOpen }) => isOpen).length < 3) simulation.addReplica();
}

// ---- subscribers

const SUBSCRIBERS: readonly Action[] = [
  {
    weight: 8,
    act: ({ chance, subscribers, replicas }) => {
      const absent = subscribers.filter(({ isHere }) => !isHere);
      const open = replicas.filter(({ isOpen }) => isOpen);
      if (absent.length === 0 || open.length === 0) return undefined;
      const subscriber = chance.pick(absent);
      const replica = chance.pick(open);
      if (chance.isLucky(0.3)) subscriber.forget();
      subscriber.join(replica);
      return `${subscriber.name} comes to ${replica.name}`;
    },
  },
  {
    weight: 6,
    act: ({ chance, subscribers }) => {
      const present = subscribers.filter(({ isHere }) => isHere);
      if (present.length === 0) return undefined;
      const subscriber = chance.pick(present);
      subscriber.leave();
      return `${subscriber.name} leaves`;
    },
  },
  {
    weight: 8,
    act: ({ chance, subscribers, replicas }) => {
      const present = subscribers.filter(({ isHere }) => isHere);
      const open = replicas.filter(({ isOpen }) => isOpen);
      if (present.length === 0 || open.length === 0) return undefined;
      const subscriber = chance.pick(present);
      const replica = chance.pick(open);
      subscriber.join(replica);
      return `${subscriber.name} moves to ${replica.name}`;
    },
  },
  {
    weight: 0.3,
    act: ({ subscribers }) => {
      for (const subscriber of subscribers) if (subscriber.isHere) subscriber.leave();
      return 'everybody leaves';
    },
  },
  {
    weight: 3,
    act: ({ chance, subscribers, cluster, oracle, sampler }) => {
      sampler.disturbed();
      const { name } = chance.pick(subscribers);
      cluster.revoke(name);
      oracle.revoked(name);
      return `${name} may not look any more`;
    },
  },
  {
    weight: 0.7,
    act: (simulation) => {
      const { chance, subscribers, cluster, oracle, sampler } = simulation;
      sampler.disturbed();
      const replica = chance.pick(simulation.replicas);
      for (const { name, home } of subscribers) {
        if (home !== replica) continue;
        cluster.revoke(name);
        oracle.revoked(name);
      }
      for (const stream of cluster.fronts.flatMap(({ streams }) => streams)) stream.end({ kind: 'clean' });
      return `nobody on ${replica.name} may look any more, and the streams end`;
    },
  },
  {
    weight: 3,
    act: (simulation) => {
      const { name } = simulation.chance.pick(simulation.subscribers);
      simulation.grant(name);
      return `${name} may look again`;
    },
  },
];

export const ACTIONS: readonly Action[] = [
  ...CHANGES,
  ...CLUSTER_FAULTS,
  ...REDIS_FAULTS,
  ...REPLICA_FAULTS,
  ...SUBSCRIBERS,
];

/** Something that ends by itself after some time, at most so many milliseconds. */
function forSome({ chance, timeline, sampler }: Simulation, what: string, mostMs: number, end: () => void): string {
  const forMs = chance.isLucky(0.5) ? chance.between(50, mostMs / 10) : chance.between(mostMs / 10, mostMs);
  sampler.disturbed();
  timeline.after(forMs, () => {
    sampler.disturbed();
    end();
  });
  return `${what} for ${Math.round(forMs)} ms`;
}
