import { grant } from '../../demo/apiserver/objects.ts';
import { startKas, type AgentOptions, type Kas } from '../../demo/kas/index.ts';
import { credentialsFromHeaders } from '../../src/access/credentials.ts';
import { Gate, type GateOptions } from '../../src/access/gate.ts';
import { Viewer } from '../../src/access/viewer.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import { PODS, type Resource } from '../../src/kubernetes/resources.ts';
import type { Broker } from '../../src/pubsub/broker.ts';
import { Hub, type HubOptions } from '../../src/pubsub/hub.ts';
import type { LiveOptions } from '../../src/pubsub/live-updates.ts';
import { reserveStream, type Tally } from '../../src/pubsub/tally.ts';
import { KasSource } from '../../src/sources/kas/kas-source.ts';
import type { TransportMode } from '../../src/sources/kas/transport-chooser.ts';
import { eventually } from './eventually.ts';
import { RecordedView, versionsOf } from './recorded-view.ts';

export const NAMESPACE = 'shop';

export interface BenchOptions extends Partial<
  Pick<GateOptions, 'sharing' | 'feedsPerViewer' | 'subscriptionsPerViewer' | 'audit' | 'counters'>
> {
  readonly transport?: TransportMode;
  readonly clock?: Clock;
  readonly agent?: AgentOptions;
  readonly lingerMs?: number;
  readonly standingDonor?: HubOptions['standingDonor'];
  readonly allowMs?: number;
  readonly denyMs?: number;
  readonly agentStreamBudget?: number;
  readonly broker?: Broker;
  /** With a broker: what counts over all replicas. */
  readonly tally?: Tally;
}

export interface ViewOptions extends LiveOptions {
  readonly viewer?: Viewer;
  readonly resource?: Resource;
  readonly before?: RecordedView | undefined;
}

/** KAS's stand-in with one agent, and on it the product without its GraphQL: source, hub and gate. */
export class Bench {
  readonly kas: Kas;
  readonly gate: Gate;
  readonly hub: Hub;
  readonly source: KasSource;
  readonly defects: unknown[] = [];
  readonly steps: string[] = [];

  static async start(options: BenchOptions = {}): Promise<Bench> {
    const kas = await startKas({ agents: { 1: options.agent ?? {} } });
    const bench = new Bench(kas, options);
    bench.allow('ada');
    return bench;
  }

  constructor(kas: Kas, options: BenchOptions) {
    const { clock = systemClock, lingerMs = 100 } = options;
    this.kas = kas;
    this.source = new KasSource({
      url: new URL(kas.url),
      clock,
      transport: options.transport ?? 'auto',
      agentStreamBudget: options.agentStreamBudget ?? 100,
      onStep: (_, step) => this.steps.push(step.why),
      onDefect: (_, error) => this.defects.push(error),
    });
    const { tally, agentStreamBudget = 100 } = options;
    const reserve = tally && ((agentId: string) => reserveStream(tally, agentId, agentStreamBudget));
    this.hub = new Hub({
      source: this.source,
      clock,
      lingerMs,
      standingDonor: options.standingDonor,
      broker: options.broker,
      reserve,
    });
    this.gate = new Gate({
      hub: this.hub,
      source: this.source,
      clock,
      reviews: { allowMs: options.allowMs ?? 60_000, denyMs: options.denyMs ?? 10_000 },
      sharing: options.sharing ?? 'authorized',
      feedsPerViewer: options.feedsPerViewer ?? 50,
      subscriptionsPerViewer: options.subscriptionsPerViewer ?? 1_000,
      lingerMs,
      audit: options.audit ?? (() => {}),
      tally,
      reserve,
      ...(options.counters && { counters: options.counters }),
    });
  }

  get api() {
    return this.kas.agent(1).api;
  }

  get watchApi() {
    return this.kas.watchApi;
  }

  get store() {
    return this.api.store;
  }

  /** Lets a user see and do everything, in one namespace or ('') in all of them. */
  allow(user: string, namespace = ''): void {
    this.kas.user(user);
    grant(this.store, user, namespace, ['*'], ['*']);
  }

  /** Lets a user list and watch these in every namespace, and nothing else. */
  allowOnly(user: string, resources: readonly string[]): void {
    this.kas.user(user);
    grant(this.store, user, '', ['list', 'watch'], resources);
  }

  viewer(user = 'ada'): Viewer {
    const credentials = credentialsFromHeaders({ authorization: `Bearer ${this.kas.bearer(user)}` });
    if (credentials === undefined) throw new Error('no credentials');
    return new Viewer(credentials);
  }

  key(resource: Resource = PODS, namespace: string | undefined = NAMESPACE) {
    return { agentId: '1', namespace, resource };
  }

  /** `before`: the view of a client that comes back with the last cursor it got. */
  async view(options: ViewOptions = {}): Promise<RecordedView> {
    const { viewer = this.viewer(), resource = PODS, before, ...live } = options;
    const resume = before?.last?.cursor ?? live.resume;
    const stream = await this.gate.subscribe(viewer, this.key(resource), { ...live, resume });
    return new RecordedView(stream, before, live.filter !== undefined);
  }

  /** A view that has its first snapshot, over an open watch. */
  async liveView(options: ViewOptions = {}): Promise<RecordedView> {
    const view = await this.view(options);
    await this.converged(view);
    await this.connected();
    return view;
  }

  /** What pods the cluster has in the namespace: uid → resourceVersion. */
  truth(): Record<string, string> {
    return versionsOf(this.store.list('pods', NAMESPACE));
  }

  /** `truth`, when the cluster is not the demo's: what it has. */
  async converged(view: RecordedView, withinMs = 5_000, truth?: Record<string, string>): Promise<void> {
    const isSame = () =>
      view.updates.length > 0 &&
      JSON.stringify(sorted(view.versions())) === JSON.stringify(sorted(truth ?? this.truth()));
    await eventually('the view equals the cluster', isSame, withinMs, () => ({
      steps: this.steps.slice(-10),
      error: String(view.error),
    }));
  }

  status(resource: Resource = PODS) {
    const feed = this.hub.feeds('1', NAMESPACE).find(({ key }) => key.resource === resource);
    if (feed === undefined) throw new Error('no such feed');
    return feed.status;
  }

  /** Every state that the watch of pods takes from now on. */
  followStates(): string[] {
    const states: string[] = [];
    for (const feed of this.hub.feeds('1', NAMESPACE)) {
      if (feed.key.resource === PODS) feed.onStatus(() => states.push(feed.status.state));
    }
    return states;
  }

  connected(withinMs = 5_000): Promise<void> {
    return eventually(
      'CONNECTED',
      () => this.status().state === 'CONNECTED',
      withinMs,
      () => this.status(),
    );
  }

  disconnected(withinMs = 5_000): Promise<void> {
    return eventually(
      'DISCONNECTED',
      () => this.status().state === 'DISCONNECTED',
      withinMs,
      () => this.status(),
    );
  }

  counts(verb: 'list' | 'watch', resource = 'pods'): number {
    return this.kas.counts({ agent: 1, verb, resource });
  }

  /** Throws when a view or the product itself has broken a rule. */
  checkRules(view: RecordedView): void {
    const broken = [...view.breaches, ...this.defects];
    if (broken.length > 0) throw new Error(`rules were broken: ${broken.map(String).join('; ')}`);
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.source.close();
    await this.kas.close();
  }
}

function sorted(versions: Record<string, string>): [string, string][] {
  return Object.entries(versions).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
