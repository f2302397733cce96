import type { Clock, Timer } from '../clock.ts';
import type { Donor, Source } from '../sources/source.ts';
import type { Hop } from '../sources/status.ts';
import { LocalBroker, type Broker, type Supply } from './broker.ts';
import { DonorPool } from './donor-pool.ts';
import { Feed } from './feed.ts';
import { feedId, type FeedKey } from './feed-key.ts';

export interface HubOptions {
  readonly source: Source;
  readonly clock: Clock;
  /** How long a feed outlives its last viewer, in milliseconds. */
  readonly lingerMs: number;
  /** Who fills feeds; without one, this replica does. */
  readonly broker?: Broker | undefined;
  /** A place among an agent's streams over all replicas. Rejects with LIMIT_EXCEEDED. */
  readonly reserve?: ((agentId: string) => Promise<() => void>) | undefined;
  /** Somebody who is no viewer and opens a feed's watch before any of them is asked. */
  readonly standingDonor?: ((key: FeedKey) => Donor | undefined) | undefined;
}

/** A viewer's hold on a feed. */
export interface Attachment {
  readonly feed: Feed;
  /** Resolves when the feed knows what other replicas have told their viewers, or that cannot be found out. */
  catchUp(): Promise<void>;
  /** Lets go. Calling it again does nothing. */
  release(): void;
}

interface Entry {
  readonly feed: Feed;
  readonly donors: DonorPool;
  readonly supply: Supply;
  attachments: number;
  lingering: Timer | undefined;
  /** Nobody's credentials may hold its watch open any more. */
  isDeserted: boolean;
}

const SUBSTITUTED = "The service token cannot be used; a viewer's is used in its place.";

/**
 * The feeds that are open, one for each resource and scope, however many viewers there are. Whoever attaches has
 * been authorized before: the hub knows no rights.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #broker: Broker;
  readonly #entries = new Map<string, Entry>();
  readonly #scopeListeners = new Map<string, Set<() => void>>();

  constructor(options: HubOptions) {
    this.#options = options;
    this.#broker = options.broker ?? new LocalBroker();
  }

  /** Joins a feed, opening it if nobody has. Throws LIMIT_EXCEEDED when the agent has no stream left. */
  attach(key: FeedKey, donor: Donor): Attachment {
    const id = feedId(key);
    const open = this.#entries.get(id);
    open?.donors.add(donor);
    const entry = open ?? this.#open(id, key, donor);
    entry.attachments += 1;
    entry.lingering?.cancel();
    entry.lingering = undefined;
    entry.isDeserted = false;
    let released = false;
    return {
      feed: entry.feed,
      catchUp: () => entry.supply.catchUp(),
      release: () => {
        if (released) return;
        released = true;
        this.#detach(id, entry, donor);
      },
    };
  }

  /** Uses the credentials of these donors no more: another takes over at once. */
  dismiss(isMeant: (donor: Donor, key: FeedKey) => boolean): void {
    for (const { donors, feed } of this.#entries.values()) donors.dismiss((donor) => isMeant(donor, feed.key));
  }

  /** The open feeds of a scope: exactly this namespace, or exactly all namespaces. */
  feeds(agentId: string, namespace: string | undefined): Feed[] {
    const scope = scopeId(agentId, namespace);
    const feeds = [...this.#entries.values()].map((entry) => entry.feed);
    return feeds.filter(({ key }) => scopeId(key.agentId, key.namespace) === scope);
  }

  /** Calls `listener` when a feed of the scope changes its status, opens or closes. Returns how to stop it. */
  onScopeStatus(agentId: string, namespace: string | undefined, listener: () => void): () => void {
    const id = scopeId(agentId, namespace);
    const listeners = this.#scopeListeners.get(id) ?? new Set();
    this.#scopeListeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#scopeListeners.get(id) === listeners) this.#scopeListeners.delete(id);
    };
  }

  /** Cuts short whatever a feed is waiting for. Does nothing when it is not open. */
  retryNow(key: FeedKey): void {
    this.#entries.get(feedId(key))?.supply.retryNow();
  }

  /** Open feeds, for metrics and tests. */
  get size(): number {
    return this.#entries.size;
  }

  /** Closes every feed, whoever still looks at it. */
  close(): void {
    for (const [id, entry] of this.#entries) this.#close(id, entry);
  }

  #open(id: string, key: FeedKey, donor: Donor): Entry {
    const { source, clock, standingDonor, reserve = () => Promise.resolve(() => undefined) } = this.#options;
    let supply: Supply | undefined;
    const donors = new DonorPool(clock, () => supply?.renew(), {
      standing: standingDonor && (() => standingDonor(key)),
      onDeserted: () => this.#deserted(id),
    });
    const feed = new Feed(key, clock, (hops) =>
      this.#broker.annotated(donors.isSubstituted ? hops.map(withSubstitution) : hops),
    );
    donors.add(donor);
    supply = this.#broker.supply(feed, {
      open: (sink, from) => source.reflect(key, donors, sink, from),
      reserve: () => reserve(key.agentId),
      hasDonor: () => donors.isAttended,
    });
    const entry: Entry = { feed, donors, supply, attachments: 0, lingering: undefined, isDeserted: false };
    this.#entries.set(id, entry);
    feed.onStatus(() => this.#tellScope(key));
    this.#tellScope(key);
    return entry;
  }

  #detach(id: string, entry: Entry, donor: Donor): void {
    entry.attachments -= 1;
    entry.donors.remove(donor);
    if (entry.attachments > 0 || this.#entries.get(id) !== entry) return;
    // Navigation from page to page is the common case: the next viewer is likely to come in a moment.
    entry.lingering = this.#options.clock.after(this.#options.lingerMs, () => this.#close(id, entry));
    if (entry.isDeserted) this.#close(id, entry);
  }

  #deserted(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isDeserted = true;
    if (entry.attachments === 0) this.#close(id, entry);
  }

  #close(id: string, entry: Entry): void {
    if (this.#entries.get(id) !== entry) return;
    this.#entries.delete(id);
    entry.lingering?.cancel();
    entry.supply.stop();
    entry.donors.close();
    entry.feed.close(); // which tells the scope, too
  }

  #tellScope(key: FeedKey): void {
    const listeners = this.#scopeListeners.get(scopeId(key.agentId, key.namespace));
    for (const listener of listeners ?? []) listener();
  }
}

function withSubstitution(hop: Hop): Hop {
  return hop.name === 'server' ? { ...hop, reason: SUBSTITUTED } : hop;
}

function scopeId(agentId: string, namespace: string | undefined): string {
  return JSON.stringify([agentId, namespace ?? null]);
}
