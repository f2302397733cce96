import { makePod } from '../../demo/apiserver/objects.ts';
import type { Store } from '../../demo/apiserver/store.ts';
import { Dice } from '../../demo/cluster/dice.ts';
import { startKas, type Kas } from '../../demo/kas/index.ts';
import { versionsOf } from '../support/recorded-view.ts';

export interface ClusterOptions {
  readonly namespaces: number;
  readonly podsEach: number;
  readonly users: number;
  readonly seed: number;
}

const HISTORY = 20_000;
const AWAY_MS = 3_000;
const CREATE_SHARE = 0.1;

/** KAS's stand-in with one cluster, in which pods change, come and go, and whose connections break. */
export class Cluster {
  readonly kas: Kas;
  readonly namespaces: readonly string[];
  readonly tokens: readonly string[];
  /** How often each kind of cut was made. */
  readonly cuts: Record<string, number> = {};
  changes = 0;
  readonly #dice: Dice;
  readonly #podsEach: number;
  #changing: NodeJS.Timeout | undefined;
  #nextCut = 0;

  static async start(options: ClusterOptions): Promise<Cluster> {
    const kas = await startKas({ agents: { 1: { historyLimit: HISTORY, connectWaitMs: 20_000 } } });
    return new Cluster(kas, options);
  }

  private constructor(kas: Kas, { namespaces, podsEach, users, seed }: ClusterOptions) {
    this.kas = kas;
    this.#dice = new Dice(seed);
    this.#podsEach = podsEach;
    this.namespaces = Array.from({ length: namespaces }, (_, index) => `space-${index}`);
    this.tokens = Array.from({ length: users }, (_, index) => {
      // Who may do everything costs the stand-in no search for rights.
      return kas.user(`user-${index}`, { token: `glpat-soak-${index}`, groups: ['system:masters'] }).token;
    });
    for (const namespace of this.namespaces) {
      for (let index = 0; index < podsEach; index += 1) this.#create(namespace, index);
    }
  }

  /** So many changes a second, at random places: mostly a label, sometimes a pod that goes or comes back. */
  startChanging(perSecond: number): void {
    this.#changing = setInterval(() => this.#change(), 1_000 / perSecond);
  }

  stopChanging(): void {
    clearInterval(this.#changing);
  }

  /** Breaks what is open upstream, each time in another way. */
  cut(): void {
    const kinds = {
      'streams reset': () => this.#agent.cutStreams(),
      'WebSockets reset': () => {
        for (const connection of this.kas.watchApi.connections) connection.reset();
      },
      'history compacted, streams reset': () => {
        this.#store.compact();
        this.#agent.cutStreams();
      },
      [`agent away for ${AWAY_MS / 1_000} s`]: () => {
        this.#agent.disconnect();
        setTimeout(() => this.#agent.connect(), AWAY_MS);
      },
    };
    const all = Object.entries(kinds);
    const [name, strike] = all[this.#nextCut % all.length] ?? [];
    if (name === undefined || strike === undefined) return;
    this.#nextCut += 1;
    this.cuts[name] = (this.cuts[name] ?? 0) + 1;
    strike();
    this.kas.requests.length = 0; // the stand-in remembers every request
  }

  /** Of each namespace and, under '', of all: uid → resourceVersion. */
  truth(): Record<string, Record<string, string>> {
    const spaces = this.namespaces.map((namespace) => [namespace, versionsOf(this.#store.list('pods', namespace))]);
    return { ...Object.fromEntries(spaces), '': versionsOf(this.#store.list('pods')) } as Record<
      string,
      Record<string, string>
    >;
  }

  /** Streams through the agent's tunnel, and WebSockets of KAS. */
  levels(): Record<string, number> {
    return { 'agent streams': this.kas.openStreams(1), 'KAS WebSockets': this.kas.watchApi.connections.length };
  }

  async stop(): Promise<void> {
    this.stopChanging();
    await this.kas.close();
  }

  get #agent() {
    return this.kas.agent(1);
  }

  get #store(): Store {
    return this.#agent.api.store;
  }

  #change(): void {
    const namespace = this.#dice.pick(this.namespaces) ?? '';
    const index = this.#dice.between(0, this.#podsEach - 1);
    const name = `pod-${index}`;
    this.changes += 1;
    if (this.#store.get('pods', namespace, name) === undefined) this.#create(namespace, index);
    else if (this.#dice.chance(CREATE_SHARE)) this.#store.delete('pods', namespace, name);
    else {
      const labels = { change: String(this.changes) };
      this.#store.patch('pods', namespace, name, { metadata: { labels } });
      this.#agent.api.logs.append(namespace, name, 'app', `change ${this.changes}`);
    }
  }

  #create(namespace: string, index: number): void {
    this.#store.create(makePod({ name: `pod-${index}`, namespace, labels: { change: '0' } }));
  }
}
