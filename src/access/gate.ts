import type { Clock } from '../clock.ts';
import { ApiError, badInput } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { PODS } from '../kubernetes/resources.ts';
import type { Feed, FeedKey } from '../pubsub/feed.ts';
import type { Attachment, Hub } from '../pubsub/hub.ts';
import { LiveUpdates, type LiveOptions } from '../pubsub/live-updates.ts';
import type { Update } from '../pubsub/updates.ts';
import type { Donor, Source } from '../sources/source.ts';
import { isWayBroken, UpstreamError } from '../sources/upstream-error.ts';
import { auditEntry, type Audit, type AuditEntry } from './audit.ts';
import { brokenConnection, connectionOf, type Connection } from './connection.ts';
import { ConnectionStream } from './connection-stream.ts';
import { LiveViews } from './live-views.ts';
import { Permissions, VIEW, viewForbidden } from './permissions.ts';
import { Quota } from './quota.ts';
import type { ReviewLifetimes } from './review-cache.ts';
import { Rights } from './rights.ts';
import { ViewerCalls } from './viewer-calls.ts';
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
  readonly #hub: Hub;
  readonly #options: GateOptions;
  readonly #calls: ViewerCalls;
  readonly #permissions: Permissions;
  readonly #rights: Rights;
  readonly #quota: Quota;
  readonly #views = new LiveViews();

  constructor(options: GateOptions) {
    const { hub, source, clock, reviews, audit } = options;
    this.#hub = hub;
    this.#options = options;
    this.#calls = new ViewerCalls(source, audit, (viewer, error) => this.#views.endViewer(viewer, error));
    this.#permissions = new Permissions(source, clock, reviews, this.#calls);
    this.#quota = new Quota(options);
    this.#rights = new Rights({
      clock,
      check: (viewer, key) => this.#permissions.mayView(viewer, key),
      dueInMs: (viewer, key) => this.#permissions.dueInMs(viewer, key),
      onLost: (viewer, key, error) => this.#revoke(viewer, key, error),
    });
  }

  /** Joins a feed for a moment, to read it. Rejects with FORBIDDEN, or with what keeps the check from being made. */
  async attach(viewer: Viewer, wanted: FeedKey): Promise<Attachment> {
    const key = this.#keyFor(viewer, wanted);
    if (!(await this.#permissions.mayView(viewer, key))) throw await this.#denied(viewer, key);
    return this.#join(viewer, key);
  }

  /** A live view of a feed. It ends with ACCESS_REVOKED when the right to it is lost. */
  async subscribe(viewer: Viewer, key: FeedKey, options: LiveOptions): Promise<AsyncIterableIterator<Update>> {
    const { maxRate } = options;
    if (maxRate !== undefined && !(maxRate > 0 && maxRate <= MAX_RATE)) {
      throw badInput('maxRate', `more than 0 and at most ${MAX_RATE} messages a second`);
    }
    const releases = [this.#quota.holdSubscription(viewer)];
    const release = () => {
      for (const each of releases) each();
    };
    try {
      const attachment = await this.attach(viewer, key);
      releases.push(() => attachment.release());
      const updates = new LiveUpdates(attachment.feed, this.#options.clock, options, release);
      releases.push(
        this.#views.add(viewer, attachment.feed.key, updates),
        this.#rights.hold(viewer, attachment.feed.key),
      );
      return updates;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One object by name, from the shared feed for those who may see all of it, else with the viewer's right to get it. */
  async get(viewer: Viewer, wanted: NamespacedKey, name: string): Promise<KubernetesObject | undefined> {
    const key = this.#keyFor(viewer, wanted);
    if (await this.#permissions.mayView(viewer, key)) {
      const attachment = this.#join(viewer, key);
      try {
        await attachment.feed.ready();
        return attachment.feed.find(wanted.namespace, name);
      } finally {
        attachment.release();
      }
    }
    try {
      return await this.#calls.read(viewer, wanted.agentId, (caller) => caller.get(key, name));
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'notFound') return undefined;
      throw error;
    }
  }

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

  /** How the watches of a scope are, as far as the viewer may see what they carry. */
  async connection(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Connection> {
    try {
      return connectionOf(agentId, namespace, await this.#visibleFeeds(viewer, agentId, namespace));
    } catch (error) {
      // That there is no way to the agent is the very thing that is being asked about.
      if (isWayBroken(error)) return brokenConnection(agentId, namespace, error.code);
      throw error;
    }
  }

  /** The same, live: at first as it is, then whenever it changes. */
  async watchConnection(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
  ): Promise<AsyncIterableIterator<Connection>> {
    const releases = [this.#quota.holdSubscription(viewer)];
    const release = () => {
      for (const each of releases) each();
    };
    try {
      const look = () => this.connection(viewer, agentId, namespace);
      const listen = (listener: () => void) => this.#hub.onScopeStatus(agentId, namespace, listener);
      const { updates } = new ConnectionStream(await look(), look, listen, release);
      releases.push(this.#views.add(viewer, undefined, updates));
      return updates;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Tries again now what is waiting to be tried again: all of a scope, or the one of this field. */
  async reconnect(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
    field: string | undefined,
  ): Promise<Connection> {
    const feeds = await this.#visibleFeeds(viewer, agentId, namespace);
    for (const { key } of feeds) if (field === undefined || key.resource.field === field) this.#hub.retryNow(key);
    return this.connection(viewer, agentId, namespace);
  }

  // ---- what is shared

  #keyFor(viewer: Viewer, key: FeedKey): FeedKey {
    return this.#options.sharing === 'identity' ? { ...key, identity: viewer.id } : key;
  }

  /** Joins a feed that the viewer has just been allowed to see. */
  #join(viewer: Viewer, key: FeedKey): Attachment {
    const letGo = this.#quota.holdFeed(viewer, key);
    try {
      const attachment = this.#hub.attach(key, this.#donor(viewer, key));
      this.#audit(viewer, key, { event: 'attach', verb: VIEW, decision: 'allowed' });
      let released = false;
      return {
        feed: attachment.feed,
        release: () => {
          if (released) return;
          released = true;
          attachment.release();
          letGo();
        },
      };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  #donor(viewer: Viewer, key: FeedKey): Donor {
    return { credentials: viewer.credentials, refused: (error) => this.#refusedAsDonor(viewer, key, error) };
  }

  /** A refusal of the shared watch is the end for those whose credentials it was, and for nobody else. */
  #refusedAsDonor(viewer: Viewer, key: FeedKey, error: UpstreamError): void {
    this.#permissions.forget(viewer, key);
    if (error.failure === 'gitlabUnauthorized') {
      this.#views.endViewer(viewer, error);
      return;
    }
    const message = `You may no longer see ${key.resource.plural} here.`;
    this.#revoke(viewer, key, new ApiError('ACCESS_REVOKED', message, { cause: error }));
  }

  async #denied(viewer: Viewer, key: FeedKey): Promise<ApiError> {
    const user = await this.#calls.nameOf(viewer, key.agentId);
    this.#audit(viewer, key, { event: 'deny', verb: VIEW, decision: 'denied', code: 'FORBIDDEN', user });
    return viewForbidden(key, user);
  }

  #revoke(viewer: Viewer, key: FeedKey, error: ApiError): void {
    this.#views.endView(viewer, key, error);
    this.#audit(viewer, key, { event: 'revoke', verb: VIEW, decision: 'denied', code: error.code });
  }

  async #visibleFeeds(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Feed[]> {
    const feeds = this.#hub
      .feeds(agentId, namespace)
      .filter(({ key }) => key.identity === undefined || key.identity === viewer.id);
    // Also with nothing to see: whoever GitLab does not let through to the agent learns nothing about it.
    if (feeds.length === 0) await this.#permissions.mayView(viewer, { agentId, namespace, resource: PODS });
    const visible = await Promise.all(feeds.map((feed) => this.#permissions.mayStillView(viewer, feed.key)));
    return feeds.filter((_, index) => visible[index]);
  }

  #audit(
    viewer: Viewer,
    key: FeedKey,
    what: Pick<AuditEntry, 'event' | 'verb' | 'decision'> & Partial<AuditEntry>,
  ): void {
    this.#options.audit(auditEntry(viewer, key, what));
  }
}
