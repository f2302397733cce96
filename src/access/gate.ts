import type { Clock } from '../clock.ts';
import { Counters } from '../counters.ts';
import { ApiError, badInput } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import type { Attachment, Hub } from '../pubsub/hub.ts';
import { countUpdates } from '../pubsub/count-updates.ts';
import { isKnown, LiveUpdates, type LiveOptions, type OnUpdate } from '../pubsub/live-updates.ts';
import type { Tally } from '../pubsub/tally.ts';
import type { Update } from '../pubsub/updates.ts';
import type { ServiceAddress } from '../sources/actions.ts';
import type { AccessAttributes, Identity, Source } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { Actions } from './actions.ts';
import type { Audit } from './audit.ts';
import { Clusters } from './clusters.ts';
import type { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { Entrance } from './entrance.ts';
import { Identities } from './identities.ts';
import { Journal } from './journal.ts';
import { LiveViews } from './live-views.ts';
import { Logs } from './logs.ts';
import { Permissions, VIEW } from './permissions.ts';
import { Prometheus } from './prometheus.ts';
import { Quota } from './quota.ts';
import type { ReviewLifetimes } from './review-cache.ts';
import { Rights } from './rights.ts';
import { ViewerCalls } from './viewer-calls.ts';
import { isDonor } from './viewer-donor.ts';
import type { Viewer } from './viewer.ts';

export type { Attachment } from '../pubsub/hub.ts';
export type { Connection } from './connection.ts';

export interface GateOptions {
  readonly hub: Hub;
  readonly source: Source;
  readonly clock: Clock;
  readonly reviews: ReviewLifetimes;
  /** `identity`: feeds are not shared, because clusters answer each user differently. */
  readonly sharing: 'authorized' | 'identity';
  readonly feedsPerViewer: number;
  readonly subscriptionsPerViewer: number;
  /** How long a feed outlives its last viewer, in milliseconds. */
  readonly lingerMs: number;
  readonly audit: Audit;
  /** The Prometheus that every cluster has there, if any. */
  readonly prometheus?: ServiceAddress | undefined;
  readonly counters?: Counters;
  /** What viewers hold on all replicas. */
  readonly tally?: Tally | undefined;
  /** A place among an agent's streams over all replicas. Rejects with LIMIT_EXCEEDED. */
  readonly reserve?: ((agentId: string) => Promise<() => void>) | undefined;
}

export interface NamespacedKey extends FeedKey {
  readonly namespace: string;
}

/** More messages a second than anybody can look at. */
const MAX_RATE = 1_000;

/**
 * The only door to clusters: whoever comes through it has been checked, each with their own credentials, before
 * they are attached to anything that is shared, and is checked again for as long as they stay. What is shared
 * knows nothing of rights; this knows nothing else.
 */
export class Gate {
  /** What clusters serve beyond the kinds that every cluster has. */
  readonly clusters: Clusters;
  readonly logs: Logs;
  /** What is done to clusters, with the caller's own credentials. */
  readonly actions: Actions;
  readonly prometheus: Prometheus;
  readonly #options: GateOptions;
  readonly #onUpdate: OnUpdate;
  readonly #hub: Hub;
  readonly #journal: Journal;
  readonly #identities: Identities;
  readonly #calls: ViewerCalls;
  readonly #permissions: Permissions;
  readonly #entrance: Entrance;
  readonly #connections: Connections;
  readonly #rights: Rights;
  readonly #quota: Quota;
  readonly #views = new LiveViews();

  constructor(options: GateOptions) {
    const { hub, source, clock, reviews, audit, sharing, counters = new Counters() } = options;
    this.#options = options;
    this.#onUpdate = countUpdates(counters);
    this.#hub = hub;
    const journal = new Journal(audit, counters, (viewer, agentId) => this.#identities.known(viewer, agentId));
    this.#journal = journal;
    this.#identities = new Identities({
      source,
      clock,
      freshMs: reviews.allowMs,
      onLearned: (viewer, agentId) => journal.identified(viewer, agentId),
      onFailed: (viewer, agentId, error) => this.#calls.noticeRefusal(viewer, agentId, error),
    });
    this.#calls = new ViewerCalls({
      source,
      journal,
      identities: this.#identities,
      onRefused: (viewer, agentId, error) => this.#signedOut(viewer, agentId, error),
    });
    const permissions = new Permissions({ source, clock, reviews, counters }, this.#calls);
    this.#permissions = permissions;
    this.#quota = new Quota({ ...options, counters });
    this.#entrance = new Entrance({
      hub,
      permissions,
      journal,
      counters,
      sharing,
      identities: this.#identities,
      quota: this.#quota,
      onRefused: (viewer, key, error) => this.#refusedAsDonor(viewer, key, error),
    });
    this.clusters = new Clusters({ hub, source, clock, sharing, calls: this.#calls, entrance: this.#entrance });
    const parts = { calls: this.#calls, identities: this.#identities, quota: this.#quota, views: this.#views };
    this.logs = new Logs({ ...options, ...parts, permissions, journal, counters });
    this.actions = new Actions({ ...parts, clock });
    this.prometheus = new Prometheus(this.actions, options.prometheus);
    this.#connections = new Connections(hub, permissions, clock);
    this.#rights = new Rights({
      clock,
      check: (viewer, key) => permissions.mayView(viewer, key),
      forget: (viewer, key) => permissions.forget(viewer, key),
      dueInMs: (viewer, key) => permissions.dueInMs(viewer, key),
      ageMs: (viewer, key) => permissions.ageMs(viewer, key),
      onLost: (viewer, key, error) => this.#revoke(viewer, key, error),
    });
  }

  /** Subscriptions that are open, to whatever. */
  get subscriptions(): number {
    return this.#quota.subscriptions;
  }

  // ---- looking

  /** Joins a feed for a moment, to read it. Rejects with FORBIDDEN, or with what keeps the check from being made. */
  attach(viewer: Viewer, key: FeedKey): Promise<Attachment> {
    return this.#entrance.attach(viewer, key);
  }

  /** A live view of a feed. It ends with ACCESS_REVOKED when the right to it is lost. */
  async subscribe(viewer: Viewer, key: FeedKey, options: LiveOptions): Promise<AsyncIterableIterator<Update>> {
    const { maxRate } = options;
    if (maxRate !== undefined && !(maxRate > 0 && maxRate <= MAX_RATE)) {
      throw badInput('maxRate', `more than 0 and at most ${MAX_RATE} messages a second`);
    }
    return this.#live(viewer, async (releases, release) => {
      const attachment = await this.attach(viewer, key);
      const { feed } = attachment;
      releases.push(() => attachment.release());
      if (!isKnown(feed, options)) await attachment.catchUp();
      await this.#entrance.confirm(viewer, key);
      const updates = new LiveUpdates(feed, this.#options.clock, options, release, this.#onUpdate);
      releases.push(this.#views.add(viewer, feed.key, updates), this.#rights.hold(viewer, feed.key));
      return updates;
    });
  }

  /** One object by name, from the shared feed for those who may see all of it, else with the viewer's right to get it. */
  async get(viewer: Viewer, key: NamespacedKey, name: string): Promise<KubernetesObject | undefined> {
    if (await this.#entrance.mayView(viewer, key)) {
      const attachment = await this.#entrance.join(viewer, key);
      try {
        await attachment.feed.ready();
        return attachment.feed.find(key.namespace, name);
      } finally {
        attachment.release();
      }
    }
    try {
      return await this.#calls.read(viewer, key, name, (caller) => caller.get(key, name));
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'notFound') return undefined;
      throw error;
    }
  }

  /** How the watches of a scope are, as far as the viewer may see what they carry. */
  connection(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Connection> {
    return this.#connections.look(viewer, agentId, namespace);
  }

  /** The same, live: at first as it is, then whenever it changes. */
  watchConnection(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
  ): Promise<AsyncIterableIterator<Connection>> {
    return this.#live(viewer, async (releases, release) => {
      const { updates } = await this.#connections.follow(viewer, agentId, namespace, release);
      releases.push(this.#views.add(viewer, { agentId, namespace }, updates));
      return updates;
    });
  }

  /** Who the cluster takes the viewer for. */
  whoAmI(viewer: Viewer, agentId: string): Promise<Identity> {
    return this.#identities.of(viewer, agentId);
  }

  /** Whether the cluster would let the viewer do this. */
  can(viewer: Viewer, agentId: string, attributes: AccessAttributes): Promise<boolean> {
    return this.#permissions.may(viewer, agentId, attributes);
  }

  // ---- acting

  /** Deletes with the viewer's own credentials; never tried twice. `uid`: only if it is still that object. */
  async delete(
    viewer: Viewer,
    key: NamespacedKey,
    name: string,
    { uid }: { readonly uid?: string | undefined },
  ): Promise<{ uid: string; name: string; namespace: string }> {
    const deleted = await this.#calls.mutate(viewer, key, name, 'delete', (caller) =>
      caller.delete(key, name, { uid }),
    );
    return { ...deleted, namespace: key.namespace };
  }

  /** Tries again now what is waiting to be tried again: all of a scope, or the one of this field. */
  async reconnect(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
    field: string | undefined,
  ): Promise<Connection> {
    const scope = { agentId, namespace };
    try {
      await this.#connections.retryNow(viewer, agentId, namespace, field);
      this.#journal.mutated(viewer, scope, 'reconnect', field);
    } catch (error) {
      this.#journal.mutated(viewer, scope, 'reconnect', field, error);
      throw error;
    }
    return this.connection(viewer, agentId, namespace);
  }

  // ---- what is held while somebody looks, and how it is lost

  /** Opens a subscription. Whatever is pushed to `releases` is let go of at its end, and when it does not come to be. */
  async #live<Stream>(
    viewer: Viewer,
    open: (releases: (() => void)[], release: () => void) => Promise<Stream>,
  ): Promise<Stream> {
    const releases = [await this.#quota.holdSubscription(viewer)];
    const release = () => {
      for (const each of releases) each();
    };
    try {
      return await open(releases, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A refusal of the shared watch is the end for those whose credentials it was, and for nobody else. */
  #refusedAsDonor(viewer: Viewer, key: FeedKey, error: UpstreamError): void {
    this.#permissions.forget(viewer, key);
    if (error.failure === 'gitlabUnauthorized') {
      this.#signedOut(viewer, key.agentId, error);
      return;
    }
    const message = `You may no longer see ${key.resource.plural} here.`;
    this.#revoke(viewer, key, new ApiError('ACCESS_REVOKED', message, { cause: error }));
  }

  #revoke(viewer: Viewer, key: FeedKey, error: ApiError): void {
    this.#views.endFeed(viewer, key, error);
    this.#hub.dismiss((donor, where) => isDonor(viewer, donor) && feedId(where) === feedId(key));
    this.#journal.revoked(viewer, key, VIEW, error);
  }

  /**
   * These credentials are not accepted for one agent. All that comes from there ends now, and nothing that was answered
   * to them there counts. If it was GitLab that said so, they may not be accepted for anything any more; but KAS says
   * the same to those who may merely not use this agent, so as not to tell which there are. So the rest is asked about.
   */
  #signedOut(viewer: Viewer, agentId: string, error: UpstreamError): void {
    const ended = this.#views.endAgent(viewer, agentId, error);
    this.#permissions.forgetViewer(viewer, agentId);
    this.#identities.forget(viewer);
    this.#hub.dismiss((donor, key) => isDonor(viewer, donor) && agentId === key.agentId);
    this.logs.dismiss(viewer, agentId);
    for (const scope of ended) this.#journal.revoked(viewer, scope, VIEW, error);
    if (error.failure !== 'gitlabUnauthorized') return;
    this.#rights.askAgain(viewer);
    this.logs.askAgain(viewer);
  }
}
