import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import { feedId } from '../pubsub/hub.ts';
import type { FeedKey } from '../pubsub/feed.ts';
import type { Viewer } from './viewer.ts';

export interface QuotaOptions {
  readonly clock: Clock;
  /** Feeds that one viewer may hold open. */
  readonly feedsPerViewer: number;
  readonly subscriptionsPerViewer: number;
  /** How long a feed stays open after it was let go of, in milliseconds: for so long it still counts. */
  readonly lingerMs: number;
  readonly counters: Counters;
}

interface Hold {
  holders: number;
  /** Monotonic milliseconds at which it stops counting; undefined while it is held. */
  until: number | undefined;
}

interface Usage {
  subscriptions: number;
  readonly feeds: Map<string, Hold>;
}

/**
 * How much of what is shared each viewer takes up. Without it one person could walk through a thousand namespaces
 * and have all of them watched.
 */
export class Quota {
  readonly #options: QuotaOptions;
  readonly #usage = new Map<string, Usage>();

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Counts a feed as held by the viewer. Throws LIMIT_EXCEEDED when it would be one too many. Returns how to let go. */
  holdFeed(viewer: Viewer, key: FeedKey): () => void {
    const usage = this.#of(viewer);
    const id = feedId(key);
    const hold = usage.feeds.get(id) ?? { holders: 0, until: undefined };
    if (!usage.feeds.has(id) && usage.feeds.size >= this.#options.feedsPerViewer) {
      this.#options.counters.add('limits_hit', { limit: 'MAX_FEEDS_PER_VIEWER' });
      throw new ApiError(
        'LIMIT_EXCEEDED',
        `You already look at ${this.#options.feedsPerViewer} collections (MAX_FEEDS_PER_VIEWER).`,
        {
          retryable: true,
          remedy: 'Close some, or wait until those you have left are closed; all namespaces at once count as one.',
        },
      );
    }
    usage.feeds.set(id, hold);
    hold.holders += 1;
    hold.until = undefined;
    return () => {
      hold.holders -= 1;
      if (hold.holders === 0) hold.until = this.#options.clock.monotonic() + this.#options.lingerMs;
    };
  }

  /** Counts a subscription. Throws LIMIT_EXCEEDED when it would be one too many. Returns how to let go. */
  holdSubscription(viewer: Viewer): () => void {
    const usage = this.#of(viewer);
    if (usage.subscriptions >= this.#options.subscriptionsPerViewer) {
      this.#options.counters.add('limits_hit', { limit: 'MAX_SUBSCRIPTIONS_PER_VIEWER' });
      throw new ApiError(
        'LIMIT_EXCEEDED',
        `You already have ${this.#options.subscriptionsPerViewer} subscriptions (MAX_SUBSCRIPTIONS_PER_VIEWER).`,
        { retryable: true, remedy: 'Complete some of them first.' },
      );
    }
    usage.subscriptions += 1;
    return () => {
      usage.subscriptions -= 1;
      this.#forgetIfIdle(viewer.owner, usage);
    };
  }

  /** Viewers that are counted, for tests. */
  get size(): number {
    return this.#usage.size;
  }

  #of(viewer: Viewer): Usage {
    const usage = this.#usage.get(viewer.owner) ?? { subscriptions: 0, feeds: new Map<string, Hold>() };
    this.#expire(usage);
    // Seldom enough to do for everyone, so that those who never come back are not kept.
    if (!this.#usage.has(viewer.owner)) for (const [id, other] of this.#usage) this.#forgetIfIdle(id, other);
    this.#usage.set(viewer.owner, usage);
    return usage;
  }

  #forgetIfIdle(id: string, usage: Usage): void {
    this.#expire(usage);
    if (usage.subscriptions === 0 && usage.feeds.size === 0) this.#usage.delete(id);
  }

  #expire(usage: Usage): void {
    const now = this.#options.clock.monotonic();
    for (const [id, { until }] of usage.feeds) if (until !== undefined && until <= now) usage.feeds.delete(id);
  }
}
