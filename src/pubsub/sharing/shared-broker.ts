import type { Clock } from '../../clock.ts';
import type { Hop } from '../../sources/status.ts';
import type { Broker, Supply, Wiring } from '../broker.ts';
import type { Feed } from '../feed.ts';
import { feedId } from '../feed-key.ts';
import type { Bus } from './bus.ts';
import { Share } from './share.ts';
import type { ShareEvent, ShareRole } from './share-events.ts';
import { Unshared } from './unshared.ts';

export interface SharedBrokerOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Tells what is shared apart from what others share on the same bus: the KAS that is behind it. */
  readonly realm: string;
  readonly onEvent: (event: ShareEvent) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Fills feeds with the watch of one replica, whichever it is, for all. */
export class SharedBroker implements Broker {
  readonly #options: SharedBrokerOptions;
  readonly #shares = new Set<Share>();
  /** Since when the bus is as it is: milliseconds since 1970. */
  #since: number;
  #isLeaving = false;

  constructor(options: SharedBrokerOptions) {
    const { bus, clock } = options;
    this.#options = options;
    this.#since = clock.now();
    bus.onTurn(() => (this.#since = clock.now()));
  }

  supply(feed: Feed, wiring: Wiring): Supply {
    const { bus, clock, realm, onEvent, onFailed } = this.#options;
    if (feed.key.identity !== undefined) return this.#supplyAlone(feed, wiring);
    const channel = bus.channel(JSON.stringify([realm, feedId(feed.key)]));
    const share = new Share({ feed, bus, channel, clock, wiring, onEvent, onFailed });
    this.#shares.add(share);
    if (this.#isLeaving) void share.handOver();
    void share.start();
    return {
      retryNow: () => share.retryNow(),
      renew: () => share.renew(),
      catchUp: () => share.catchUp(),
      stop: () => void share.leave().finally(() => this.#shares.delete(share)),
    };
  }

  /** What is one viewer's, under a name that other replicas do not know them by. */
  #supplyAlone(feed: Feed, wiring: Wiring): Supply {
    const supply = new Unshared({ ...this.#options, feed, wiring });
    void supply.start();
    return supply;
  }

  annotated(hops: readonly Hop[]): readonly Hop[] {
    const { isUp, trouble } = this.#options.bus;
    const redis: Hop = {
      name: 'redis',
      status: isUp ? 'CONNECTED' : 'DISCONNECTED',
      reason: trouble,
      since: this.#since,
    };
    return hops.flatMap((hop) => (hop.name === 'server' ? [hop, redis] : [hop]));
  }

  /** How many feeds this replica has a share in, as what. */
  get roles(): Readonly<Record<ShareRole, number>> {
    const roles = { leading: 0, following: 0, alone: 0 };
    for (const { role } of this.#shares) if (role !== undefined) roles[role] += 1;
    return roles;
  }

  /** The longest that one of the feeds led here has had something that could not be written down, in milliseconds. */
  get unpublishedMs(): number {
    return [...this.#shares].reduce((longest, share) => Math.max(longest, share.unpublishedMs), 0);
  }

  /** The longest that nothing was heard of the leader of one of the feeds followed here, in milliseconds. */
  get unheardMs(): number {
    return [...this.#shares].reduce((longest, share) => Math.max(longest, share.unheardMs), 0);
  }

  async handOver(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all([...this.#shares].map((share) => share.handOver()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#shares].map((share) => share.leave()));
  }
}
