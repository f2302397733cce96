import type { Clock } from '../clock.ts';
import { ApiError, badInput } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { PODS } from '../kubernetes/resources.ts';
import type { Feed, FeedKey } from '../pubsub/feed.ts';
import type { Attachment, Hub } from '../pubsub/hub.ts';
import { LiveUpdates, type LiveOptions } from '../pubsub/live-updates.ts';
import type { Update } from '../pubsub/updates.ts';
import type { Donor, Source } from '../sources/source.ts';
import { isAgentAway, UpstreamError } from '../sources/upstream-error.ts';
import { brokenConnection, connectionOf, type Connection } from './connection.ts';
import { ConnectionStream } from './connection-stream.ts';
import { LiveViews } from './live-views.ts';
import { Reviews } from './reviews.ts';
import type { ReviewLifetimes } from './review-cache.ts';
import type { Viewer } from './viewer.ts';

export type { Attachment } from '../pubsub/hub.ts';
export type { Connection } from './connection.ts';

export interface GateOptions {
  readonly hub: Hub;
  readonly source: Source;
  readonly clock: Clock;
  readonly reviews: ReviewLifetimes;
}

export interface NamespacedKey extends FeedKey {
  readonly namespace: string;
}

/** The verbs that a view of a collection needs. */
const VIEW_VERBS = ['list', 'watch'] as const;
/** More messages a second than anybody can look at. */
const MAX_RATE = 1_000;

/**
 * The only door to clusters: whoever comes through it has been checked, each with their own credentials, before
 * they are attached to anything that is shared. What is shared knows nothing of rights; this knows nothing else.
 */
export class Gate {
  readonly #hub: Hub;
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #reviews: Reviews;
  readonly #views = new LiveViews();

  constructor({ hub, source, clock, reviews }: GateOptions) {
    this.#hub = hub;
    this.#source = source;
    this.#clock = clock;
    this.#reviews = new Reviews(source, clock, reviews);
  }

  /** Joins a feed for a moment, to read it. Rejects with FORBIDDEN, or with what keeps the check from being made. */
  async attach(viewer: Viewer, key: FeedKey): Promise<Attachment> {
    await this.#checkView(viewer, key);
    return this.#hub.attach(key, this.#donor(viewer, key));
  }

  /** A live view of a feed. It ends with ACCESS_REVOKED when the right to it is lost. */
  async subscribe(viewer: Viewer, key: FeedKey, options: LiveOptions): Promise<AsyncIterableIterator<Update>> {
    const { maxRate } = options;
    if (maxRate !== undefined && !(maxRate > 0 && maxRate <= MAX_RATE)) {
      throw badInput('maxRate', `more than 0 and at most ${MAX_RATE} messages a second`);
    }
    const attachment = await this.attach(viewer, key);
    const updates = new LiveUpdates(attachment.feed, this.#clock, options, () => {
      remove();
      attachment.release();
    });
    const remove = this.#views.add(viewer, key, updates);
    return updates;
  }

  /** One object by name, from the shared feed for those who may see all of it, else with the viewer's right to get it. */
  async get(viewer: Viewer, key: NamespacedKey, name: string): Promise<KubernetesObject | undefined> {
    if (await this.#mayView(viewer, key)) {
      const attachment = this.#hub.attach(key, this.#donor(viewer, key));
      try {
        await attachment.feed.ready();
        return attachment.feed.find(key.namespace, name);
      } finally {
        attachment.release();
      }
    }
    try {
      return await this.#calling(viewer, this.#source.caller(key.agentId, viewer.credentials).get(key, name));
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
    const caller = this.#source.caller(key.agentId, viewer.credentials);
    const deleted = await this.#calling(viewer, caller.delete(key, name, { uid }));
    return { ...deleted, namespace: key.namespace };
  }

  /** How the watches of a scope are, as far as the viewer may see what they carry. */
  async connection(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Connection> {
    try {
      return connectionOf(agentId, namespace, await this.#visibleFeeds(viewer, agentId, namespace));
    } catch (error) {
      // That there is no way to the agent is the very thing that is being asked about.
      if (isBrokenWay(error)) return brokenConnection(agentId, namespace, error.code);
      throw error;
    }
  }

  /** The same, live: at first as it is, then whenever it changes. */
  async watchConnection(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
  ): Promise<AsyncIterableIterator<Connection>> {
    const stream = new ConnectionStream(
      await this.connection(viewer, agentId, namespace),
      () => this.connection(viewer, agentId, namespace),
      (listener) => this.#hub.onScopeStatus(agentId, namespace, listener),
      () => remove(),
    );
    const remove = this.#views.add(viewer, undefined, stream.updates);
    return stream.updates;
  }

  /** Tries again now what is waiting to be tried again: all of a scope, or the one of this field. */
  async reconnect(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
    field: string | undefined,
  ): Promise<Connection> {
    const feeds = await this.#visibleFeeds(viewer, agentId, namespace);
    for (const { key } of feeds) {
      if (field === undefined || key.resource.field === field)
        this.#hub.retryNow(agentId, namespace, key.resource.field);
    }
    return this.connection(viewer, agentId, namespace);
  }

  async #checkView(viewer: Viewer, key: FeedKey): Promise<void> {
    if (await this.#mayView(viewer, key)) return;
    const { resource, namespace } = key;
    const where = resource.namespaced
      ? namespace === undefined
        ? ' in all namespaces'
        : ` in namespace "${namespace}"`
      : '';
    throw new ApiError('FORBIDDEN', `You may not list and watch ${resource.plural}${where} of agent ${key.agentId}.`, {
      ...(resource.namespaced && namespace === undefined && { remedy: 'Name a namespace that you may see.' }),
    });
  }

  async #mayView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    const answers = await this.#calling(viewer, Promise.all(VIEW_VERBS.map((verb) => this.#ask(viewer, key, verb))));
    return answers.every(Boolean);
  }

  #ask(viewer: Viewer, key: FeedKey, verb: string): Promise<boolean> {
    return this.#reviews.allowed(viewer, key.agentId, attributesOf(key, verb));
  }

  async #visibleFeeds(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Feed[]> {
    const feeds = this.#hub.feeds(agentId, namespace);
    // Also with nothing to see: whoever GitLab does not let through to the agent learns nothing about it.
    if (feeds.length === 0) await this.#mayView(viewer, { agentId, namespace, resource: PODS });
    const visible = await Promise.all(feeds.map((feed) => this.#mayStillView(viewer, feed.key)));
    return feeds.filter((_, index) => visible[index]);
  }

  /** For those who were let in before: a check that cannot be made is no denial for a while. */
  async #mayStillView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    try {
      return await this.#mayView(viewer, key);
    } catch (error) {
      const last = VIEW_VERBS.map((verb) => this.#reviews.lastAnswer(viewer, key.agentId, attributesOf(key, verb)));
      if (isBrokenWay(error) && last.every((allowed) => allowed !== undefined)) return last.every(Boolean);
      throw error;
    }
  }

  #donor(viewer: Viewer, key: FeedKey): Donor {
    return { credentials: viewer.credentials, refused: (error) => this.#lostAccess(viewer, key, error) };
  }

  /** Waits for a call of the viewer's. When it shows that their credentials are not accepted any more, they all end. */
  async #calling<T>(viewer: Viewer, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'gitlabUnauthorized')
        this.#views.endViewer(viewer, error);
      throw error;
    }
  }

  /** A refusal of the shared watch is the end for those whose credentials it was, and for nobody else. */
  #lostAccess(viewer: Viewer, key: FeedKey, error: UpstreamError): void {
    for (const verb of VIEW_VERBS) this.#reviews.forget(viewer, key.agentId, attributesOf(key, verb));
    if (error.failure === 'gitlabUnauthorized') {
      this.#views.endViewer(viewer, error);
      return;
    }
    const revoked = new ApiError('ACCESS_REVOKED', `You may no longer see ${key.resource.plural} here.`, {
      cause: error,
    });
    this.#views.endView(viewer, key, revoked);
  }
}

function attributesOf(key: FeedKey, verb: string) {
  return { verb, group: key.resource.group, resource: key.resource.plural, namespace: key.namespace };
}

function isBrokenWay(error: unknown): error is UpstreamError {
  return (
    error instanceof UpstreamError && (isAgentAway(error) || error.failure === 'timeout' || error.failure === 'torn')
  );
}
