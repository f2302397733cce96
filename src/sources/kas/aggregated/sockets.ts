import type { Clock } from '../../../clock.ts';
import type { Counters } from '../../../counters.ts';
import { sameCredentials } from '../../credentials.ts';
import type { Donor } from '../../source.ts';
import type { WatchHandle } from '../../upstream.ts';
import { authHeaders } from '../auth.ts';
import type { ApiHttp } from '../../apiserver/http.ts';
import { urlOf } from '../../apiserver/paths.ts';
import { AggregatedSocket } from './socket.ts';
import type { WatchOrder } from './watch-order.ts';

export interface SocketsOptions {
  readonly http: ApiHttp;
  readonly base: URL;
  readonly clock: Clock;
  readonly agentId: string;
  readonly counters?: Counters | undefined;
}

/**
 * The WebSockets of one scope: one, as a rule, and for a moment two while its watches move to another.
 *
 * Feeds of one scope have donors of their own, and the first viewer of one need not be the first of the next. So a
 * watch joins the socket that is there, whoever lent the credentials, as long as the lender is still the donor of at
 * least one watch on it. The cluster decides for each watch whether the lender may; if not, the watch gets a socket
 * with its own donor. When no watch's donor vouches for a socket any longer, its watches are asked to move.
 */
export class AggregatedSockets {
  readonly #options: SocketsOptions;
  readonly #open = new Set<AggregatedSocket>();
  /** Messages that were not understood, or for nobody. */
  ignored = 0;

  constructor(options: SocketsOptions) {
    this.#options = options;
  }

  /** WebSockets open or being opened. */
  get size(): number {
    return this.#open.size;
  }

  /** Starts a watch. Throws an UpstreamError when its donor's credentials are not for this agent. */
  watch(order: WatchOrder): WatchHandle & { readonly socket: AggregatedSocket } {
    const socket = this.#find(order) ?? this.#dial(order.donor);
    return { socket, ...socket.watch(order) };
  }

  close(): void {
    for (const socket of this.#open) socket.close();
  }

  #find(order: WatchOrder): AggregatedSocket | undefined {
    // The newest first: the older ones are being left.
    const sockets = [...this.#open].toReversed();
    return (
      sockets.find(({ lender }) => sameCredentials(lender, order.donor.credentials)) ??
      sockets.find((socket) => isVouchedFor(socket) && !socket.refuses(order))
    );
  }

  #dial({ credentials }: Donor): AggregatedSocket {
    const { http, base, clock, agentId, counters } = this.#options;
    const headers = authHeaders(credentials, agentId);
    const socket = new AggregatedSocket({
      http,
      base,
      clock,
      headers,
      lender: credentials,
      // Every cluster answers this to every user, in a few hundred bytes and without looking into its store.
      probe: async (signal) => {
        await http.call({ url: urlOf(base, { segments: ['version'] }), headers, what: 'ask for the version' }, signal);
      },
      onClosed: () => this.#open.delete(socket),
      onLeft: () => this.#sendAway(socket),
      onIgnored: () => {
        this.ignored += 1;
        counters?.add('upstream_ignored_messages');
      },
    });
    this.#open.add(socket);
    return socket;
  }

  #sendAway(socket: AggregatedSocket): void {
    if (isVouchedFor(socket)) return;
    for (const { listener } of socket.orders()) listener.orphaned();
  }
}

function isVouchedFor(socket: AggregatedSocket): boolean {
  return socket.orders().some(({ donors }) => {
    const donor = donors.current();
    return donor !== undefined && sameCredentials(donor.credentials, socket.lender);
  });
}
