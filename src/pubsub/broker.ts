import type { Sink } from '../sources/sink.ts';
import type { Beginning, Reflection } from '../sources/source.ts';
import type { Hop } from '../sources/status.ts';
import type { Feed } from './feed.ts';

/** What a broker needs to have a feed filled by this replica's own watch. */
export interface Wiring {
  /** Opens the watch. Throws LIMIT_EXCEEDED when the agent has no stream left. */
  open(sink: Sink, from: Beginning | undefined): Reflection;
  /** A place among the agent's streams over all replicas. Rejects with LIMIT_EXCEEDED. */
  reserve(): Promise<() => void>;
  /** Somebody is here whose credentials may open the watch. */
  hasDonor(): boolean;
}

/** Fills a feed until stopped. */
export interface Supply extends Reflection {
  /** Resolves when the feed has been compared with what the other replicas have, or that cannot be done. */
  catchUp(): Promise<void>;
}

/** Decides who fills a feed: this replica's own watch, or another replica's. */
export interface Broker {
  /** Keeps the feed equal to the collection until stopped. */
  supply(feed: Feed, wiring: Wiring): Supply;
  /** The hops of a watch with what this adds to the way. */
  annotated(hops: readonly Hop[]): readonly Hop[];
  /** Leaves to other replicas what this one does for all. */
  handOver(): Promise<void>;
  close(): Promise<void>;
}

/** One replica, which does everything itself. */
export class LocalBroker implements Broker {
  supply(feed: Feed, wiring: Wiring): Supply {
    const reflection = wiring.open(feed, undefined);
    return {
      retryNow: () => reflection.retryNow(),
      renew: () => reflection.renew(),
      stop: () => reflection.stop(),
      catchUp: () => Promise.resolve(),
    };
  }

  annotated(hops: readonly Hop[]): readonly Hop[] {
    return hops;
  }

  handOver(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
