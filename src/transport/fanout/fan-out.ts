import type { GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { Feed } from '../../pubsub/feed.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import { Group } from './group.ts';
import { Life } from './life.ts';
import type { Outlet } from './outlet.ts';
import { Pace } from './pace.ts';
import { isShareable, shapeKey } from './shape.ts';

/** Anybody can invent aliases: past this, subscriptions to a feed are served one by one. */
export const MAX_SHAPES_PER_FEED = 500;

export interface FanOutOptions {
  /** What shared executions run with: it knows no viewer, and throws when it is asked for one. */
  readonly sharedContext: object;
  readonly mask: (thrown: unknown) => GraphQLFormattedError;
  /** Called for a subscription that is not shared because its feed has too many shapes. */
  readonly onTooManyShapes: () => void;
}

/** Brings subscriptions together that get the same bytes. */
export class FanOut {
  readonly #options: FanOutOptions;
  readonly #pace = new Pace();
  readonly #groups = new Map<Feed, Map<string, Group>>();

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /**
   * Serves a subscription together with others of its shape, and returns what is left of it. Undefined when it has to
   * be served by itself.
   */
  join(args: ValidatedSubscriptionArgs, live: LiveUpdates, outlet: Outlet): Life | undefined {
    if (!isShareable(args)) return undefined;
    const groups = this.#groups.get(live.feed) ?? new Map<string, Group>();
    const key = shapeKey(args, live);
    const known = groups.get(key);
    if (known === undefined && groups.size >= MAX_SHAPES_PER_FEED) {
      this.#options.onTooManyShapes();
      return undefined;
    }
    const group = known ?? this.#open(args, live, () => this.#close(live.feed, key));
    this.#groups.set(live.feed, groups.set(key, group));
    group.join(live, outlet);
    return new Life(live);
  }

  /** For tests and metrics. */
  get shapes(): number {
    return [...this.#groups.values()].reduce((sum, groups) => sum + groups.size, 0);
  }

  #open(args: ValidatedSubscriptionArgs, live: LiveUpdates, onEmpty: () => void): Group {
    const { sharedContext, mask } = this.#options;
    // Nothing of whoever comes first stays: neither their context nor what they sent.
    const shared = { ...args, contextValue: sharedContext, rootValue: undefined, rawVariableValues: undefined };
    return new Group({
      args: shared,
      mask,
      pace: this.#pace,
      feed: live.feed,
      filter: live.options.filter,
      clock: live.clock,
      onEmpty,
    });
  }

  #close(feed: Feed, key: string): void {
    const groups = this.#groups.get(feed);
    groups?.delete(key);
    if (groups?.size === 0) this.#groups.delete(feed);
  }
}
