import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import { LogFeed } from '../pubsub/log-feed.ts';
import { LogHub, type LogAttachment } from '../pubsub/log-hub.ts';
import { LogView, type LogViewOptions } from '../pubsub/log-view.ts';
import { timeKey } from '../sources/logs/log-line.ts';
import type { LogTarget } from '../sources/logs/log-source.ts';
import { readLog, type ReadLog } from '../sources/logs/read-log.ts';
import type { Source } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { forbidden } from './forbidden.ts';
import type { Identities } from './identities.ts';
import type { Journal } from './journal.ts';
import type { LiveViews } from './live-views.ts';
import { logScope, POD_LOGS } from './log-scope.ts';
import type { Permissions } from './permissions.ts';
import type { Quota } from './quota.ts';
import { Rights } from './rights.ts';
import type { ViewerCalls } from './viewer-calls.ts';
import { isDonor, ViewerDonor } from './viewer-donor.ts';
import type { Viewer } from './viewer.ts';

export interface LogsOptions {
  readonly source: Source;
  readonly clock: Clock;
  readonly lingerMs: number;
  readonly sharing: 'authorized' | 'identity';
  readonly permissions: Permissions;
  readonly identities: Identities;
  readonly calls: ViewerCalls;
  readonly journal: Journal;
  readonly quota: Quota;
  readonly views: LiveViews;
  readonly counters: Counters;
}

/** How much of a log's past somebody asks for. */
export interface LogWish {
  readonly tailLines: number;
  readonly sinceSeconds?: number | undefined;
  /** The run of the container before this one; it is over, so there is nothing to follow. */
  readonly previous?: boolean;
}

const GET = 'get';

/**
 * Containers' logs. Each who reads one is asked for by themselves (`get pods/log`), and again while they read; a
 * container is followed once for all of them, with the credentials of one.
 */
export class Logs {
  readonly #options: LogsOptions;
  readonly #hub: LogHub;
  readonly #rights: Rights;

  constructor(options: LogsOptions) {
    const { clock, permissions } = options;
    this.#options = options;
    this.#hub = new LogHub(options);
    this.#rights = new Rights({
      clock,
      check: (viewer, key) => permissions.mayView(viewer, key),
      forget: (viewer, key) => permissions.forget(viewer, key),
      dueInMs: (viewer, key) => permissions.dueInMs(viewer, key),
      ageMs: (viewer, key) => permissions.ageMs(viewer, key),
      onLost: (viewer, key, error) => this.#revoke(viewer, key, error),
    });
  }

  /** What there is of a log, with the viewer's own credentials. */
  read(viewer: Viewer, target: LogTarget, wish: LogWish): Promise<ReadLog> {
    const { calls, clock } = this.#options;
    const { agentId, namespace, pod } = target;
    const key = { agentId, namespace, resource: POD_LOGS };
    return calls.read(viewer, key, pod, async ({ actions }) => {
      try {
        return await readLog(clock, (listener) => actions.openLog(target, { ...wish, follow: false }, listener));
      } catch (error) {
        throw error instanceof UpstreamError && error.failure === 'invalid' ? noLog(target, error) : error;
      }
    });
  }

  /** A log, live. It ends with ACCESS_REVOKED when the right to it is lost. */
  async follow(viewer: Viewer, target: LogTarget, wish: LogWish): Promise<LogView> {
    const letGo = await this.#options.quota.holdSubscription(viewer);
    const releases = [letGo];
    const release = () => {
      for (const each of releases) each();
    };
    try {
      return await this.join(viewer, target, wish, { releases, release });
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The same as a part of another subscription: the caller holds what `releases` lets go of. */
  async join(
    viewer: Viewer,
    target: LogTarget,
    wish: LogWish,
    { releases, release }: { releases: (() => void)[]; release: () => void },
  ): Promise<LogView> {
    const scope = logScope(target);
    await this.#check(viewer, scope, target);
    if (wish.previous === true) {
      const { lines } = await this.read(viewer, target, wish);
      const over = new LogFeed(target, 0);
      over.ended(undefined);
      await this.#confirm(viewer, scope, target);
      return this.#view(viewer, scope, over, { history: lines, from: 0 }, { releases, release });
    }
    const attachment = await this.#attach(viewer, target, wish);
    const { feed } = attachment;
    releases.push(() => attachment.release());
    const from = await this.#past(viewer, target, wish, feed);
    await this.#confirm(viewer, scope, target);
    return this.#view(viewer, scope, feed, from, { releases, release });
  }

  /** Uses a viewer's credentials no more, for all agents or for one. */
  dismiss(viewer: Viewer, agentId: string): void {
    this.#hub.dismiss((donor, key) => isDonor(viewer, donor) && agentId === key.agentId);
  }

  /** Asks at once whether this viewer may still read what they are reading. */
  askAgain(viewer: Viewer): void {
    this.#rights.askAgain(viewer);
  }

  /** Logs followed upstream. */
  get size(): number {
    return this.#hub.size;
  }

  close(): void {
    this.#hub.close();
  }

  async #check(viewer: Viewer, scope: FeedKey, target: LogTarget): Promise<void> {
    const { permissions, identities, journal } = this.#options;
    if (!(await permissions.mayView(viewer, scope))) throw await this.#denied(viewer, scope, target);
    identities.learn(viewer, target.agentId);
    journal.attached(viewer, scope, GET);
  }

  /** Once more, right before the view begins: the right may have been lost while the log was opened and read. */
  async #confirm(viewer: Viewer, scope: FeedKey, target: LogTarget): Promise<void> {
    const { permissions } = this.#options;
    const allowed = await permissions.mayView(viewer, scope);
    if (!allowed || permissions.isDenied(viewer, scope)) throw await this.#denied(viewer, scope, target);
  }

  async #denied(viewer: Viewer, scope: FeedKey, { agentId, namespace, pod }: LogTarget): Promise<ApiError> {
    const { identities, journal } = this.#options;
    const user = await identities.nameOf(viewer, agentId);
    const error = forbidden({ key: { agentId, namespace, resource: POD_LOGS }, verb: GET, name: pod, user });
    journal.denied(viewer, scope, GET, error);
    return error;
  }

  #attach(viewer: Viewer, target: LogTarget, { tailLines }: LogWish): Promise<LogAttachment> {
    const donor = new ViewerDonor(viewer, (error) => this.#refusedAsDonor(viewer, target, error));
    const key = this.#options.sharing === 'identity' ? { ...target, identity: viewer.id } : target;
    return this.#hub.attach(key, tailLines, donor);
  }

  /** Where to begin: in what is shared if it reaches back so far, else with a reading of one's own before it. */
  async #past(viewer: Viewer, target: LogTarget, wish: LogWish, feed: LogFeed): Promise<LogViewOptions> {
    const { clock } = this.#options;
    const { ring } = feed;
    const { tailLines, sinceSeconds } = wish;
    const since = sinceSeconds === undefined ? undefined : timeKey(clock.now() - sinceSeconds * 1_000);
    const isWhole = ring.start === 0 && tailLines <= feed.tailLines;
    const oldest = ring.at(ring.start)?.at;
    const reachesBack = since !== undefined && oldest !== undefined && oldest < since;
    if (isWhole || tailLines <= ring.size || reachesBack) {
      return { from: Math.max(ring.start, ring.end - tailLines), since };
    }
    // What is printed from here on is in the feed; all before it, and a little more, is in the reading.
    const from = ring.end;
    const { lines } = await this.read(viewer, target, wish);
    return { history: lines, from };
  }

  #view(
    viewer: Viewer,
    scope: FeedKey,
    feed: LogFeed,
    options: LogViewOptions,
    { releases, release }: { releases: (() => void)[]; release: () => void },
  ): LogView {
    const onSkipped = (lines: number) => this.#options.counters.add('log_lines_skipped', {}, lines);
    const view = new LogView(feed, this.#options.clock, { ...options, onSkipped }, release);
    releases.push(this.#options.views.add(viewer, scope, view), this.#rights.hold(viewer, scope));
    return view;
  }

  #refusedAsDonor(viewer: Viewer, target: LogTarget, error: UpstreamError): void {
    const { permissions, calls } = this.#options;
    const scope = logScope(target);
    permissions.forget(viewer, scope);
    calls.noticeRefusal(viewer, target.agentId, error);
    const message = `You may no longer read the log of pod "${target.pod}".`;
    this.#revoke(viewer, scope, new ApiError('ACCESS_REVOKED', message, { cause: error }));
  }

  #revoke(viewer: Viewer, scope: FeedKey, error: ApiError): void {
    this.#options.views.endFeed(viewer, scope, error);
    this.#hub.dismiss((donor, { agentId, namespace, pod, container }) => {
      const meant = logScope({ agentId, namespace, pod, container });
      return (
        isDonor(viewer, donor) &&
        agentId === scope.agentId &&
        namespace === scope.namespace &&
        meant.resource.plural === scope.resource.plural
      );
    });
    this.#options.journal.revoked(viewer, scope, GET, error);
  }
}

function noLog({ container, pod }: LogTarget, cause: UpstreamError): ApiError {
  const which = container === '' ? `Pod "${pod}"` : `Container "${container}" of pod "${pod}"`;
  return new ApiError('NOT_FOUND', `${which} has no such log.`, {
    retryable: true,
    remedy: 'It has not started yet, there is no such container, or there was no run before this one.',
    ...(cause.upstream && { upstream: cause.upstream }),
    cause,
  });
}
