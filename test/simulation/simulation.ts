import { Chance } from './chance.ts';
import { checkReleased, checkSettled, Sampler } from './checks.ts';
import { Cluster } from './cluster/cluster.ts';
import { Journal } from './journal.ts';
import { Oracle } from './oracle.ts';
import { SimulatedRedis } from './redis/server.ts';
import { Replica, type World } from './replica.ts';
import { ACTIONS, CHANGES } from './actions.ts';
import { Subscriber, taste } from './subscriber.ts';
import { Timeline } from './timeline.ts';

const REPLICAS = 3;
const SUBSCRIBERS = 50;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

export interface Outcome {
  readonly seed: number;
  /** The first rule that was broken, with how it came to that. */
  readonly failure: string | undefined;
  readonly sometimes: ReadonlyMap<string, number>;
  /** Virtual milliseconds. */
  readonly lasted: number;
}

/** One run: everything in it follows from the seed. `print` is told what happens. */
export async function simulate(seed: number, print?: (line: string) => void): Promise<Outcome> {
  const simulation = new Simulation(seed, print);
  const escaped = (error: unknown) =>
    simulation.journal.violated('no defects', String((error as Error).stack ?? error));
  process.on('unhandledRejection', escaped);
  try {
    await simulation.run();
  } catch (error) {
    escaped(error);
  } finally {
    process.off('unhandledRejection', escaped);
  }
  const { journal, timeline } = simulation;
  return { seed, failure: report(seed, journal), sometimes: journal.sometimes.counts, lasted: timeline.now };
}

/** Three replicas and fifty subscribers between a Redis and a cluster, and what happens to all of them. */
export class Simulation implements World {
  readonly timeline = new Timeline();
  readonly chance: Chance;
  readonly journal: Journal;
  readonly redis: SimulatedRedis;
  readonly cluster: Cluster;
  readonly oracle: Oracle;
  readonly sampler: Sampler;
  readonly subscribers: readonly Subscriber[];
  #replicas: Replica[] = [];
  #replicasMade = 0;

  constructor(seed: number, print?: (line: string) => void) {
    this.chance = new Chance(seed);
    this.journal = new Journal(this.timeline, print);
    this.redis = new SimulatedRedis(this.timeline, this.chance.fork());
    this.cluster = new Cluster(this.timeline, this.chance.fork());
    this.oracle = new Oracle(this);
    this.redis.onRan = (ran) => this.oracle.ran(ran);
    this.sampler = new Sampler(this);
    this.subscribers = Array.from(
      { length: SUBSCRIBERS },
      (_, index) => new Subscriber(`viewer-${index}`, taste(this.chance), this, this.oracle, () => this.replicas),
    );
  }

  /** Those that run, frozen ones among them. */
  get replicas(): readonly Replica[] {
    return this.#replicas.filter(({ process }) => process.isAlive);
  }

  async run(): Promise<void> {
    for (const name of NAMES.slice(0, 5)) this.cluster.create(name);
    for (let index = 0; index < REPLICAS; index += 1) this.addReplica();
    await this.timeline.pass(200);
    for (const subscriber of this.subscribers) {
      if (this.chance.isLucky(0.6)) subscriber.join(this.chance.pick(this.replicas));
    }
    this.sampler.start();
    const steps = this.chance.integer(50, 150);
    for (let step = 0; step < steps && this.isFine; step += 1) {
      const action = this.chance.weighted(this.replicas.some(({ isOpen }) => isOpen) ? ACTIONS : CHANGES);
      const what = action.act(this);
      if (what !== undefined) this.journal.step(what);
      await this.timeline.pass(this.#pause());
    }
    if (this.isFine) await this.#settle();
  }

  get isFine(): boolean {
    return this.journal.violation === undefined;
  }

  addReplica(): void {
    this.#replicasMade += 1;
    this.#replicas.push(new Replica(`R${this.#replicasMade}`, this));
  }

  get anyName(): string {
    return this.chance.pick(NAMES);
  }

  /** Subscribers of a replica that has gone find another. */
  dismiss(replica: Replica): void {
    for (const subscriber of this.subscribers) if (subscriber.home === replica) subscriber.lost();
  }

  async #settle(): Promise<void> {
    // With nothing new afterwards, nothing but the replicas' own care repairs what this has lost.
    if (this.chance.isLucky(0.3)) this.journal.step(`Redis fails over, ${this.redis.failOver(8)} writes are lost`);
    this.journal.step('all faults end');
    this.heal();
    await this.timeline.pass(1_000);
    for (const subscriber of this.subscribers) {
      if (!subscriber.isHere && this.chance.isLucky(0.5)) subscriber.join(this.chance.pick(this.replicas));
    }
    await checkSettled(this);
    if (!this.isFine) return;
    this.journal.step('everybody leaves');
    for (const subscriber of this.subscribers) subscriber.leave();
    await checkReleased(this);
  }

  heal(): void {
    this.redis.refusal = undefined;
    this.redis.start();
    for (const replica of this.replicas) {
      replica.source.isFull = false;
      replica.link.messagesToLose = 0;
      replica.link.open();
      if (replica.process.isFrozen) this.thaw(replica);
    }
    this.cluster.heal();
    for (const { name } of this.subscribers) this.grant(name);
    while (this.replicas.filter(({ isOpen }) => isOpen).length < REPLICAS) this.addReplica();
    this.sampler.disturbed();
  }

  thaw(replica: Replica): void {
    this.oracle.thawed(replica);
    this.sampler.thawed(replica);
    replica.process.thaw();
  }

  grant(token: string): void {
    this.cluster.grant(token);
    this.oracle.granted(token);
  }

  /** Mostly a moment; sometimes long enough for leases, silences and backoffs, seldom for what is forgotten. */
  #pause(): number {
    if (this.chance.isLucky(0.75)) return this.chance.between(0, 400);
    if (this.chance.isLucky(0.97)) return this.chance.between(400, 8_000);
    return this.chance.isLucky(0.9) ? this.chance.between(8_000, 60_000) : this.chance.between(60_000, 720_000);
  }
}

function report(seed: number, journal: Journal): string | undefined {
  if (journal.violation === undefined) return undefined;
  return [
    `seed ${seed}: ${journal.violation.message}`,
    'steps:',
    ...journal.steps,
    'the last events before it:',
    ...journal.events.slice(-60),
  ].join('\n');
}
