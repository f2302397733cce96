import { makePod, grant } from '../../demo/apiserver/objects.ts';
import { startKas, type AgentOptions, type Kas } from '../../demo/kas/index.ts';
import { eventually, pause } from '../support/eventually.ts';
import { RedisServer } from '../support/processes/redis-server.ts';
import { ClusterHistory } from '../support/recording/cluster-history.ts';
import { longestLag } from '../support/recording/lag.ts';
import { explain, violations } from '../support/recording/invariants.ts';
import type { Honesty } from '../support/recording/honesty.ts';
import { RecordingClient } from '../support/recording/recording-client.ts';
import { holdsWatch, startActor, type Actor } from './actor.ts';
import { dice } from './dice.ts';

export const NAMESPACE = 'shop';

export interface StageOptions {
  /** How many replicas; one unless told. */
  readonly replicas?: number;
  /** Whether they share a Redis. */
  readonly redis?: boolean;
  /** Viewers that stay with their replica; one a replica unless told. */
  readonly viewersEach?: number;
  /** Viewers that go to the next replica whenever they are cut off; one unless told. */
  readonly roamers?: number;
  /** Pods at the beginning: a, b, c unless told. */
  readonly pods?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly agent?: AgentOptions;
  /** How wrong each replica's wall clock is, in milliseconds. */
  readonly clockShiftsMs?: readonly number[];
  readonly honesty?: Honesty;
  readonly seed?: number;
}

/**
 * Kascade in its real processes: replicas, their Redis, KAS's stand-in with a cluster, a line between every two of them
 * that can be disturbed, and viewers that write down everything. KAS runs in this process, so that its requests can be
 * counted and its cluster be written to directly.
 */
export class Stage implements AsyncDisposable {
  readonly kas: Kas;
  readonly redis: RedisServer | undefined;
  readonly actors: readonly Actor[];
  readonly clients: RecordingClient[] = [];
  readonly random: () => number;
  readonly #options: StageOptions;
  readonly #histories = new Map<string, ClusterHistory>();
  readonly #namespaceOf = new Map<RecordingClient, string>();
  readonly #alsoClose: AsyncDisposable[] = [];

  static async start(options: StageOptions = {}): Promise<Stage> {
    const kas = await startKas({ agents: { 1: options.agent ?? {} } });
    const redis = options.redis ? await RedisServer.start() : undefined;
    const count = options.replicas ?? 1;
    const actors = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        startActor(kas, redis, {
          name: `replica ${index + 1}`,
          env: options.env,
          clockShiftMs: options.clockShiftsMs?.[index],
        }),
      ),
    );
    const stage = new Stage(kas, redis, actors, options);
    for (const name of options.pods ?? ['a', 'b', 'c']) stage.create(name);
    for (const actor of actors) {
      for (let index = 1; index <= (options.viewersEach ?? 1); index += 1) {
        stage.join({ name: `viewer ${index} of ${actor.replica.name}`, at: [actor] });
      }
    }
    for (let index = 1; index <= (options.roamers ?? 1); index += 1) stage.join({ name: `roamer ${index}` });
    return stage;
  }

  private constructor(kas: Kas, redis: RedisServer | undefined, actors: readonly Actor[], options: StageOptions) {
    this.kas = kas;
    this.redis = redis;
    this.actors = actors;
    this.#options = options;
    this.random = dice(options.seed ?? 1);
  }

  // ---- the cluster

  get agent() {
    return this.kas.agent(1);
  }

  get api() {
    return this.agent.api;
  }

  get store() {
    return this.api.store;
  }

  create(name: string, namespace = NAMESPACE) {
    this.historyOf(namespace);
    return this.store.create(makePod({ name, namespace }));
  }

  touch(name: string, namespace = NAMESPACE) {
    return this.store.patch('pods', namespace, name, { metadata: { labels: { at: this.store.revision } } });
  }

  delete(name: string, namespace = NAMESPACE) {
    return this.store.delete('pods', namespace, name);
  }

  /** One change of every sort: of `a`, a new pod, and `b` deleted and made again. */
  changeEverySort(): void {
    this.touch('a');
    this.delete('b');
    this.create('b');
    this.create(`new-${this.store.revision}`);
  }

  /** Changes at random, until it is called off. */
  churn(everyMs: number): () => void {
    const timer = setInterval(() => this.#changeAtRandom(), everyMs);
    return () => clearInterval(timer);
  }

  historyOf(namespace: string): ClusterHistory {
    const known = this.#histories.get(namespace);
    if (known !== undefined) return known;
    const history = new ClusterHistory(this.store, namespace);
    this.#histories.set(namespace, history);
    return history;
  }

  // ---- those who look

  /** A viewer of their own name, with every right. `at`: the replicas they go to; all unless told. */
  join({ name, at = this.actors, namespace = NAMESPACE }: { name: string; at?: readonly Actor[]; namespace?: string }) {
    const token = this.allow(name.replaceAll(' ', '-'));
    this.historyOf(namespace);
    const client = new RecordingClient({
      name,
      token,
      namespace,
      addresses: () => at.map(({ replica }) => ({ name: replica.name, url: replica.webSocketUrl })),
      random: this.random,
      followsConnection: true,
    });
    this.clients.push(client);
    this.#namespaceOf.set(client, namespace);
    return client;
  }

  /** Makes a user with every right; answers their token. */
  allow(user: string): string {
    const { token } = this.kas.user(user);
    grant(this.store, user, '', ['*'], ['*']);
    return token;
  }

  /** Resolves when every client shows what the cluster holds, and the watch is known to be open. */
  async live(withinMs = 15_000): Promise<void> {
    await this.converged(withinMs);
    await eventually(
      'CONNECTED is told to everybody',
      () => this.clients.every(({ connection }) => connection?.status === 'CONNECTED'),
      withinMs,
      () => this.clients.map(({ name, connection }) => [name, connection]),
    );
  }

  /** Resolves when these clients (all unless told) show what the cluster holds. */
  async converged(withinMs: number, clients: readonly RecordingClient[] = this.clients): Promise<void> {
    await eventually(
      'every client shows what the cluster holds',
      () => clients.every((client) => this.#differences(client).length === 0),
      withinMs,
      () => this.#report(clients),
    );
  }

  /** The same, in seconds since `mark`; waits up to three times as long as it may take, to say how long it took. */
  async secondsToConverge(mark: number, boundSeconds: number, clients = this.clients): Promise<number> {
    await this.converged(mark + boundSeconds * 3_000 + 2_000 - performance.now(), clients);
    return (performance.now() - mark) / 1_000;
  }

  // ---- looking at it

  /** For how long a viewer was behind at worst, counting writes since `from`, in seconds. */
  longestLagSeconds(client: RecordingClient, from: number): number {
    const { writes } = this.historyOf(this.#namespaceOf.get(client) ?? NAMESPACE);
    return longestLag(client.recording, writes, from) / 1_000;
  }

  /** Watches of pods that are open upstream, however they are carried. */
  get watches() {
    return this.kas.inFlight({ verb: 'watch', resource: 'pods' });
  }

  /** The replicas that hold a watch of pods. */
  get watchers(): Actor[] {
    return this.actors.filter(holdsWatch);
  }

  lists(): number {
    return this.kas.counts({ verb: 'list', resource: 'pods' });
  }

  /** Closed when the stage is, after everything of its own. */
  alsoClose(resource: AsyncDisposable): void {
    this.#alsoClose.push(resource);
  }

  /** What recordings and logs hold against the product. `converged`: it has been quiet, and everybody has caught up. */
  defects(converged: boolean): string[] {
    const { honesty } = this.#options;
    const broken = this.clients.flatMap((client) => {
      const { writes } = this.historyOf(this.#namespaceOf.get(client) ?? NAMESPACE);
      const found = violations(client.recording, writes, { converged, ...(honesty && { honesty }) });
      return found.map((each) => explain(each, client.recording));
    });
    const logged = this.actors.flatMap(({ replica }) => replica.defects.map((line) => `${replica.name} logs: ${line}`));
    return [...broken, ...logged];
  }

  /** Everything that was seen and said, to look into later. */
  evidence(): object {
    const logs = this.actors.map(({ replica: { name, lines } }) => ({ name, lines }));
    const histories = [...this.#histories].map(([namespace, { writes }]) => ({ namespace, writes }));
    return {
      recordings: this.clients.map(({ recording }) => recording),
      logs,
      redis: this.redis?.lines,
      histories,
      requests: this.kas.requests,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    for (const history of this.#histories.values()) history.close();
    await Promise.all(this.actors.map(({ replica }) => replica.kill()));
    for (const { toKas, toRedis } of this.actors) {
      await toKas[Symbol.asyncDispose]();
      await toRedis?.[Symbol.asyncDispose]();
    }
    await this.redis?.close();
    await this.kas.close();
    for (const resource of this.#alsoClose) await resource[Symbol.asyncDispose]();
  }

  #differences(client: RecordingClient): string[] {
    const truth = this.store.list('pods', this.#namespaceOf.get(client) ?? NAMESPACE);
    const wrong = truth
      .filter(({ metadata }) => client.pods.get(metadata.uid)?.resourceVersion !== metadata.resourceVersion)
      .map(({ metadata }) => metadata.name);
    if (truth.length !== client.pods.size) wrong.push(`${client.pods.size} of ${truth.length} pods`);
    if (client.updates.length === 0) wrong.push('nothing has come');
    return wrong;
  }

  #report(clients: readonly RecordingClient[]): unknown {
    return clients
      .map((client) => ({
        client: client.name,
        wrong: this.#differences(client).slice(0, 5),
        errors: client.errors.slice(-3),
        connection: client.connection,
      }))
      .filter(({ wrong }) => wrong.length > 0);
  }

  #changeAtRandom(): void {
    const name = `churn-${Math.floor(this.random() * 20)}`;
    const exists = this.store.get('pods', NAMESPACE, name) !== undefined;
    if (!exists) this.create(name);
    else if (this.random() < 0.3) this.delete(name);
    else this.touch(name);
  }
}

/** A watch that has lived for five seconds: its end is no trouble. */
export function grownUp(): Promise<void> {
  return pause(5_200);
}
