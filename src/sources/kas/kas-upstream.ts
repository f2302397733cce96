import type { Clock } from '../../clock.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { trim } from '../../kubernetes/trim.ts';
import { ApiClient } from '../apiserver/client.ts';
import type { ApiHttp } from '../apiserver/http.ts';
import { endSoon, HttpUpstream } from '../apiserver/http-upstream.ts';
import { resourcePath } from '../apiserver/paths.ts';
import type { StartingClusters } from '../apiserver/starting-clusters.ts';
import { describe } from '../apiserver/wording.ts';
import { listAll } from '../reflector/list.ts';
import type { Turnstile } from '../slots.ts';
import type { Donor, Donors, WatchTarget } from '../source.ts';
import type { UpstreamError } from '../upstream-error.ts';
import type { ListPage, ListRequest, Upstream, WatchHandle, WatchListener, WatchRequest } from '../upstream.ts';
import type { AggregatedSockets } from './aggregated/sockets.ts';
import { authHeaders } from './auth.ts';
import { KAS } from './kas.ts';
import { KasWatch } from './kas-watch.ts';
import { KnownObjects } from './known-objects.ts';
import type { ReplayMemory } from './replay-guard.ts';
import type { Mover, TransportChooser } from './transport-chooser.ts';

/**
 * How long the pongs of a WebSocket speak for a watch that says nothing itself, in milliseconds. They prove that KAS is
 * there, not that the watch behind it is: where bookmarks are passed on, those are required; where not, a quiet
 * collection is looked at again after this long.
 */
export const PONGS_VOUCH_MS = 10 * 60_000;

export interface KasUpstreamOptions {
  readonly base: URL;
  readonly http: ApiHttp;
  readonly starting: StartingClusters;
  readonly clock: Clock;
  readonly target: WatchTarget;
  readonly donors: Donors;
  readonly sockets: AggregatedSockets;
  readonly chooser: TransportChooser;
  readonly memory: ReplayMemory;
  readonly listSlots: Turnstile;
  /** Open the stream anew, then close the present one. */
  readonly renew: () => void;
  /** What is known of the collection from before. */
  readonly known?: Iterable<KubernetesObject> | undefined;
}

interface WatchLife {
  readonly over: () => void;
  readonly isClosed: () => boolean;
}

/** One collection behind KAS, opened with the credentials of whoever is its donor at the moment. */
export class KasUpstream implements Upstream, Mover {
  readonly #options: KasUpstreamOptions;
  readonly #http: HttpUpstream;
  readonly #known: KnownObjects;
  readonly #watches = new Set<KasWatch>();
  #hasBookmarks = false;
  /** When the collection itself was last heard of: a list, an event, a bookmark. */
  #heardAt = 0;

  constructor(options: KasUpstreamOptions) {
    this.#options = options;
    this.#known = new KnownObjects(options.known ?? []);
    const { target, donors } = options;
    this.#http = new HttpUpstream({ target, donors, clientOf: (donor) => this.#client(donor) });
  }

  hasAnotherIdentity(): boolean {
    return this.#http.hasAnotherIdentity();
  }

  isOnHttp(): boolean {
    return [...this.#watches].some(({ isOpenOverHttp }) => isOpenOverHttp);
  }

  renew(): void {
    this.#options.renew();
  }

  /** Streams open or being opened over HTTP. */
  get httpStreams(): number {
    return [...this.#watches].filter(({ isOverHttp }) => isOverHttp).length;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const page = await this.#http.list(request, signal);
    this.#known.page(request, page);
    this.#heardAt = this.#options.clock.monotonic();
    return page;
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    try {
      return this.#watch(request, listener);
    } catch (error) {
      return endSoon(listener, error);
    }
  }

  #watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    const { target, donors, sockets, chooser, memory, listSlots } = this.#options;
    const donor = this.#http.donor();
    const client = this.#client(donor);
    const watch = new KasWatch({
      target,
      request,
      donors,
      donor,
      what: describe('watch', target),
      sockets,
      chooser,
      memory,
      known: this.#known,
      list: (notOlderThan, signal) =>
        listSlots.run(signal, () =>
          listAll({ list: this.#http.list.bind(this.#http) }, notOlderThan, this.#options.clock, signal),
        ),
      get: (object, signal) => this.#get(client, object, signal),
      overHttp: (hearing) => this.#http.watchWith(donor, request, hearing),
      orphaned: () => this.renew(),
      listener: this.#listening(donor, client, listener, {
        over: () => this.#watches.delete(watch),
        isClosed: () => isClosed,
      }),
    });
    let isClosed = false;
    this.#watches.add(watch);
    watch.start();
    return {
      close: () => {
        isClosed = true;
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }

  #listening(donor: Donor, client: ApiClient, listener: WatchListener, { over, isClosed }: WatchLife): WatchListener {
    const { clock } = this.#options;
    return {
      opened: (transport) => {
        client.granted();
        listener.opened(transport);
      },
      event: (event) => {
        if (event.type === 'BOOKMARK') this.#hasBookmarks = true;
        this.#heardAt = clock.monotonic();
        listener.event(event);
      },
      alive: () => {
        if (!this.#hasBookmarks && clock.monotonic() - this.#heardAt < PONGS_VOUCH_MS) listener.alive?.();
      },
      ended: (end) => {
        over();
        if (end.kind === 'failed' && end.error.failure === 'forbidden') {
          void this.#endForbidden(donor, client.judge(end.error), listener, isClosed);
          return;
        }
        if (end.kind === 'failed') this.#http.noteRefusal(donor, end.error);
        listener.ended(end);
      },
    };
  }

  /** What the refusal means is asked for; the watch may be closed meanwhile. */
  async #endForbidden(
    donor: Donor,
    judged: Promise<UpstreamError>,
    listener: WatchListener,
    isClosed: () => boolean,
  ): Promise<void> {
    const error = this.#http.noteRefusal(donor, await judged);
    if (!isClosed()) listener.ended({ kind: 'failed', error });
  }

  async #get(
    client: ApiClient,
    { metadata }: KubernetesObject,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    const { target } = this.#options;
    const { name, namespace } = metadata;
    try {
      const path = resourcePath({ ...target, namespace }, name);
      return trim(await client.call({ path, what: describe('get', target) }, signal));
    } catch {
      return undefined;
    }
  }

  /** Throws an UpstreamError when the donor's credentials are for another agent. */
  #client({ credentials }: Donor): ApiClient {
    const { base, http, starting, target } = this.#options;
    const endpoint = { http, base, headers: authHeaders(credentials, target.agentId) };
    return new ApiClient({ agentId: target.agentId, peer: KAS, starting, endpoint: () => endpoint });
  }
}
