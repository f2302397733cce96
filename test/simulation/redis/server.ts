import { createHash } from 'node:crypto';
import type { Chance } from '../chance.ts';
import type { Timeline } from '../timeline.ts';
import type { Link, Line } from './link.ts';
import { evaluate, type Argument, type Calls } from './scripts.ts';
import { ReplyError, RedisStore } from './store.ts';

/** How many writes the replica may be behind. */
const MAX_LAG = 12;
const EPOCH = Date.UTC(2026, 0, 1);

/** A script that was run, for those who look whether it kept the rules. */
export interface Ran {
  readonly script: string;
  readonly keys: readonly string[];
  readonly argv: readonly Argument[];
  readonly answer: unknown;
  readonly store: RedisStore;
  /** Counts how often what was written before may be lost: failovers, restarts, flushes. */
  readonly generation: number;
}

export interface Subscriber {
  readonly line: Line;
  readonly link: Link;
  readonly hear: (channel: string, bytes: Buffer) => void;
}

/** A Redis with a replica that is some writes behind, and everything that may happen to the two. */
export class SimulatedRedis {
  readonly links = new Set<Link>();
  onRan: (ran: Ran) => void = () => {};
  refusal: Calls['refusal'];
  readonly #timeline: Timeline;
  readonly #skewMs: number;
  #store = new RedisStore();
  #behind = new RedisStore();
  /** What the replica has not done yet. */
  #lag: ((store: RedisStore) => void)[] = [];
  #scripts = new Set<string>();
  #isUp = true;
  #generation = 0;
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#skewMs = Math.floor(chance.between(-3_000, 3_000));
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get now(): number {
    return EPOCH + this.#skewMs + Math.round(this.#timeline.now);
  }

  /** What is there now. */
  get store(): RedisStore {
    this.#store.expire(this.now);
    return this.#store;
  }

  // ---- commands

  evalsha(digest: string, keys: readonly string[], argv: readonly Argument[]): unknown {
    if (!this.#scripts.has(digest)) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
    return this.#run(digest, keys, argv);
  }

  eval(script: string, keys: readonly string[], argv: readonly Argument[]): unknown {
    const digest = createHash('sha1').update(script).digest('hex');
    this.#scripts.add(digest);
    return this.#run(digest, keys, argv);
  }

  publish(channel: string, bytes: Buffer): number {
    const subscribers = [...(this.#subscribers.get(channel) ?? [])].filter(({ line }) => !line.isBroken);
    for (const { line, link, hear } of subscribers) {
      if (link.messagesToLose > 0) link.messagesToLose -= 1;
      else line.toProcess(() => hear(channel, bytes));
    }
    return subscribers.length;
  }

  subscribe(channel: string, subscriber: Subscriber): void {
    this.#subscribers.set(channel, (this.#subscribers.get(channel) ?? new Set()).add(subscriber));
  }

  unsubscribe(channel: string, subscriber: Subscriber): void {
    this.#subscribers.get(channel)?.delete(subscriber);
  }

  /** Channels that somebody who is there listens to. */
  get channels(): string[] {
    return [...this.#subscribers].flatMap(([name, all]) => ([...all].some(({ line }) => !line.isBroken) ? [name] : []));
  }

  // ---- what happens to it

  /** FLUSHALL, which the replica does, too. */
  flush(): void {
    this.#generation += 1;
    this.#store.flush();
    this.#lag.push((store) => store.flush());
  }

  /** The replica takes its place. So many of the last writes are lost at most: fewer when it lagged less. */
  failOver(lost: number): number {
    const done = this.#lag.slice(0, Math.max(0, this.#lag.length - lost));
    const isLost = this.#lag.length - done.length;
    for (const write of done) write(this.#behind);
    this.#store = this.#behind;
    this.#restarted();
    return isLost;
  }

  stop(): void {
    this.#isUp = false;
    for (const link of this.links) link.cut();
  }

  start(): void {
    this.#isUp = true;
  }

  /** What an in-memory Redis knows after its process was killed. */
  forget(): void {
    this.#store.flush();
    this.#restarted();
  }

  #restarted(): void {
    this.#generation += 1;
    this.#lag = [];
    this.#behind = this.#store.clone();
    this.#scripts = new Set();
    for (const link of this.links) link.cut();
  }

  #run(digest: string, keys: readonly string[], argv: readonly Argument[]): unknown {
    const { now, store, refusal } = this;
    const publish = this.publish.bind(this);
    const isRefused = refusal !== undefined;
    // What a refused script has done before it was refused stays done, here and on the replica.
    this.#replicate((replica) => {
      replica.expire(now);
      try {
        evaluate(digest, { store: replica, now, refusal, publish: () => 0 }, keys, argv);
      } catch (error) {
        if (!isRefused || !(error instanceof ReplyError)) throw error;
      }
    });
    const { name, answer } = evaluate(digest, { store, now, refusal, publish }, keys, argv);
    this.onRan({ script: name, keys, argv, answer, store, generation: this.#generation });
    return answer;
  }

  #replicate(write: (store: RedisStore) => void): void {
    this.#lag.push(write);
    if (this.#lag.length > MAX_LAG) this.#lag.shift()?.(this.#behind);
  }
}
