import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import { LocalTally, type Tally } from '../pubsub/tally.ts';
import type { Viewer } from './viewer.ts';

export interface QuotaOptions {
  readonly clock: Clock;
  /** Feeds that one viewer may hold open. */
  readonly feedsPerViewer: number;
  readonly subscriptionsPerViewer: number;
  /** How long a feed stays open after it was let go of, in milliseconds: for so long it still counts. */
  readonly lingerMs: number;
  readonly counters: Counters;
  /** What each viewer holds on all replicas. */
  readonly tally?: Tally | undefined;
}

interface Hold {
  readonly giveBack: () => void;
  holders: number;
  /** Monotonic milliseconds at which it stops counting; undefined while it is held. */
  until: number | undefined;
}

interface Usage {
  subscriptions: number;
  /** Feeds that the other replicas are being asked about. */
  readonly opening: Map<string, Promise<Hold>>;
  readonly feeds: Map<string, Hold>;
}

/**
 * How much of what is shared each viewer takes up. Without it one person could walk through a thousand namespaces
 * and have all of them watched.
 */
export class Quota {
  readonly #options: QuotaOptions;
  readonly #tally: Tally;
  readonly #usage = new Map<string, Usage>();

  constructor(options: QuotaOptions) {
    this.#options = options;
    this.#tally = options.tally ?? new LocalTally();
  }

  /** Counts a feed as held by the viewer. Rejects with LIMIT_EXCEEDED when it is one too many. Resolves with how to let go. */
  async holdFeed(viewer: Viewer, key: FeedKey): Promise<() => void> {
    const { clock, lingerMs } = this.#options;
    const usage = this.#of(viewer);
    const id = feedId(key);
    const hold = usage.feeds.get(id) ?? (await (usage.opening.get(id) ?? this.#open(viewer, usage, id)));
    hold.holders += 1;
    hold.until = undefined;
    return () => {
      hold.holders -= 1;
      if (hold.holders > 0) return;
      const until = clock.monotonic() + lingerMs;
      hold.until = until;
      clock.after(lingerMs, () => {
        if (hold.until === until) this.#drop(usage, id, hold);
        this.#forgetIfIdle(viewer.owner, usage);
      });
    };
  }

  async #open(viewer: Viewer, usage: Usage, id: string): Promise<Hold> {
    const { feedsPerViewer } = this.#options;
    if (usage.feeds.size + usage.opening.size >= feedsPerViewer) throw this.#tooManyFeeds();
    const opening = this.#tally
      .take('feeds', viewer.owner, feedsPerViewer)
      .then((giveBack) => {
        if (giveBack === undefined) throw this.#tooManyFeeds();
        const hold: Hold = { giveBack, holders: 0, until: undefined };
        usage.feeds.set(id, hold);
        return hold;
      })
      .finally(() => usage.opening.delete(id));
    usage.opening.set(id, opening);
    return opening;
  }

  #tooManyFeeds(): ApiError {
    this.#options.counters.add('limits_hit', { limit: 'MAX_FEEDS_PER_VIEWER' });
    return new ApiError(
      'LIMIT_EXCEEDED',
      `You already look at ${this.#options.feedsPerViewer} collections (MAX_FEEDS_PER_VIEWER).`,
      {
        retryable: true,
        remedy: 'Close some, or wait until those you have left are closed; all namespaces at once count as one.',
      },
    );
  }

  /** Counts a subscription. Rejects with LIMIT_EXCEEDED when it is one too many. Resolves with how to let go. */
  async holdSubscription(viewer: Viewer): Promise<() => void> {
    const { subscriptionsPerViewer } = this.#options;
    const usage = this.#of(viewer);
    usage.subscriptions += 1;
    const letGo = () => {
      usage.subscriptions -= 1;
      this.#forgetIfIdle(viewer.owner, usage);
    };
    const isOneTooMany = usage.subscriptions > subscriptionsPerViewer;
    const giveBack = isOneTooMany
      ? undefined
      : await this.#tally.take('subscriptions', viewer.owner, subscriptionsPerViewer);
    if (giveBack === undefined) {
      letGo();
      throw this.#tooManySubscriptions();
    }
    return () => {
      giveBack();
      letGo();
    };
  }

  #tooManySubscriptions(): ApiError {
    this.#options.counters.add('limits_hit', { limit: 'MAX_SUBSCRIPTIONS_PER_VIEWER' });
    return new ApiError(
      'LIMIT_EXCEEDED',
      `You already have ${this.#options.subscriptionsPerViewer} subscriptions (MAX_SUBSCRIPTIONS_PER_VIEWER).`,
      { retryable: true, remedy: 'Complete some of them first.' },
    );
  }

  /** Subscriptions that are counted. */
  get subscriptions(): number {
    return [...this.#usage.values()].reduce((sum, { subscriptions }) => sum + subscriptions, 0);
  }

  /** Viewers that are counted, for tests. */
  get size(): number {
    return this.#usage.size;
  }

  #of(viewer: Viewer): Usage {
    const usage = this.#usage.get(viewer.owner) ?? {
      subscriptions: 0,
      opening: new Map<string, Promise<Hold>>(),
      feeds: new Map<string, Hold>(),
    };
    this.#expire(usage);
    // Seldom enough to do for everyone, so that those who never come back are not kept.
    if (!this.#usage.has(viewer.owner)) for (const [id, other] of this.#usage) this.#forgetIfIdle(id, other);
    this.#usage.set(viewer.owner, usage);
    return usage;
  }

  #forgetIfIdle(id: string, usage: Usage): void {
    this.#expire(usage);
    const isIdle = usage.subscriptions === 0 && usage.opening.size === 0 && usage.feeds.size === 0;
    if (isIdle && this.#usage.get(id) === usage) this.#usage.delete(id);
  }

  #drop(usage: Usage, id: string, hold: Hold): void {
    if (usage.feeds.get(id) !== hold) return;
    usage.feeds.delete(id);
    hold.giveBack();
  }

  #expire(usage: Usage): void {
    const now = this.#options.clock.monotonic();
    for (const [id, hold] of usage.feeds) {
      if (hold.until !== undefined && hold.until <= now) this.#drop(usage, id, hold);
    }
  }
}
