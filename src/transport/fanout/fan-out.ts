import type { GraphQLFormattedError, ValidatedSubscriptionArgs } from 'graphql';
import type { Counters } from '../../counters.ts';
import type { Feed } from '../../pubsub/feed.ts';
import type { LiveUpdates } from '../../pubsub/live-updates.ts';
import { DeliveryCounts } from './delivery-counts.ts';
import { Group } from './group.ts';
import { Life } from './life.ts';
import { ObjectRenderer } from './object-renderer.ts';
import type { Outlet } from './outlet.ts';
import { Pace } from './pace.ts';
import type { Renderer } from './renderer.ts';
import { SetRenderer } from './set-renderer.ts';
import { isShareable, shapeKey } from './shape.ts';

/** Anybody can invent aliases: past this, subscriptions to a feed are served one by one. */
export const MAX_SHAPES_PER_FEED = 500;

export interface FanOutOptions {
  readonly counters: Counters;
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
  readonly #counts: DeliveryCounts;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#counts = new DeliveryCounts(options.counters);
  }

  /**
   * Serves a subscription together with others of its shape, and returns what is left of it. Undefined when it has to
   * be served by itself. `of`: whether its messages are updates of a set, or of the one object that is left of it.
   */
  join(args: ValidatedSubscriptionArgs, live: LiveUpdates, of: 'set' | 'object', outlet: Outlet): Life | undefined {
    if (!isShareable(args)) return undefined;
    const groups = this.#groups.get(live.feed) ?? new Map<string, Group>();
    const key = shapeKey(args, live);
    const known = groups.get(key);
    if (known === undefined && groups.size >= MAX_SHAPES_PER_FEED) {
      this.#options.onTooManyShapes();
      return undefined;
    }
    const group = known ?? this.#open(args, live, of, () => this.#close(live.feed, key));
    if (group === undefined) return undefined;
    this.#groups.set(live.feed, groups.set(key, group));
    group.join(live, outlet);
    return new Life(live);
  }

  /** Resolves when it is the turn of somebody who is about to join: all of this takes turns, opening included. */
  turn(): Promise<void> {
    return this.#pace.turn();
  }

  /** For tests and metrics. */
  get shapes(): number {
    return [...this.#groups.values()].reduce((sum, groups) => sum + groups.size, 0);
  }

  /** Subscriptions that are served together. */
  get size(): number {
    const groups = [...this.#groups.values()].flatMap((ofFeed) => [...ofFeed.values()]);
    return groups.reduce((sum, group) => sum + group.size, 0);
  }

  #open(
    args: ValidatedSubscriptionArgs,
    live: LiveUpdates,
    of: 'set' | 'object',
    onEmpty: () => void,
  ): Group | undefined {
    const renderer = this.#rendererOf(args, of);
    if (renderer === undefined) return undefined;
    return new Group({
      renderer,
      counts: this.#counts,
      pace: this.#pace,
      feed: live.feed,
      filter: live.options.filter,
      clock: live.clock,
      onEmpty,
    });
  }

  /**
   * Undefined for what cannot be compiled: a variable with a default value may be null where none may be
   * (GraphQL 5.8.5). That is an error of the field which uses it, and graphql's to answer, in messages of their own.
   */
  #rendererOf(args: ValidatedSubscriptionArgs, of: 'set' | 'object'): Renderer | undefined {
    const { sharedContext, mask } = this.#options;
    // Nothing of whoever comes first stays: neither their context nor what they sent.
    const shared = { ...args, contextValue: sharedContext, rootValue: undefined, rawVariableValues: undefined };
    try {
      return of === 'set' ? new SetRenderer(shared, this.#pace, mask) : new ObjectRenderer(shared, mask);
    } catch {
      return undefined;
    }
  }

  #close(feed: Feed, key: string): void {
    const groups = this.#groups.get(feed);
    groups?.delete(key);
    if (groups?.size === 0) this.#groups.delete(feed);
  }
}
