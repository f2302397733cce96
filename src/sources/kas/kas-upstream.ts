import type { Clock } from '../../clock.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { trim } from '../../kubernetes/trim.ts';
import { listAll } from '../reflector/list.ts';
import type { Turnstile } from '../slots.ts';
import type { Donor, Donors, WatchTarget } from '../source.ts';
import { isRefusal, UpstreamError } from '../upstream-error.ts';
import type { ListPage, ListRequest, Upstream, WatchHandle, WatchListener, WatchRequest } from '../upstream.ts';
import type { AggregatedSockets } from './aggregated/sockets.ts';
import { authHeaders } from './auth.ts';
import type { HttpRequest, KasHttp } from './http.ts';
import { watchOverHttp } from './http-watch.ts';
import { KasWatch } from './kas-watch.ts';
import { KnownObjects } from './known-objects.ts';
import { listPage } from './list-page.ts';
import { resourceUrl, type Query } from './paths.ts';
import type { ReplayMemory } from './replay-guard.ts';
import type { Mover, TransportChooser } from './transport-chooser.ts';
import { describe } from './wording.ts';

/**
 * How long the pongs of a WebSocket speak for a watch that says nothing itself, in milliseconds. They prove that KAS is
 * there, not that the watch behind it is: where bookmarks are passed on, those are required; where not, a quiet
 * collection is looked at again after this long.
 */
export const PONGS_VOUCH_MS = 10 * 60_000;

export interface KasUpstreamOptions {
  readonly base: URL;
  readonly http: KasHttp;
  readonly clock: Clock;
  readonly target: WatchTarget;
  readonly donors: Donors;
  readonly sockets: AggregatedSockets;
  readonly chooser: TransportChooser;
  readonly memory: ReplayMemory;
  readonly listSlots: Turnstile;
  /** Open the stream anew, then close the present one. */
  readonly renew: () => void;
}

/** One collection behind KAS, opened with the credentials of whoever is its donor at the moment. */
export class KasUpstream implements Upstream, Mover {
  readonly #options: KasUpstreamOptions;
  readonly #known = new KnownObjects();
  readonly #watches = new Set<KasWatch>();
  #hasBookmarks = false;
  /** When the collection itself was last heard of: a list, an event, a bookmark. */
  #heardAt = 0;

  constructor(options: KasUpstreamOptions) {
    this.#options = options;
  }

  hasAnotherIdentity(): boolean {
    return this.#options.donors.current() !== undefined;
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
    const page = await this.#list(request, signal);
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
    const { target, donors, sockets, chooser, memory, listSlots, http } = this.#options;
    const donor = this.#donor();
    const over = this.#request(donor, 'watch', watchQuery(request));
    const watch = new KasWatch({
      target,
      request,
      donors,
      donor,
      what: over.what,
      sockets,
      chooser,
      memory,
      known: this.#known,
      list: (notOlderThan, signal) =>
        listSlots.run(signal, () =>
          listAll({ list: this.#list.bind(this) }, notOlderThan, this.#options.clock, signal),
        ),
      get: (object, signal) => this.#get(donor, object, signal),
      overHttp: (hearing) => watchOverHttp(http, over, hearing),
      orphaned: () => this.renew(),
      listener: this.#listening(donor, listener, () => this.#watches.delete(watch)),
    });
    this.#watches.add(watch);
    watch.start();
    return {
      close: () => {
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }

  #listening(donor: Donor, listener: WatchListener, over: () => void): WatchListener {
    const { clock } = this.#options;
    return {
      opened: (transport) => listener.opened(transport),
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
        if (end.kind === 'failed') this.#noteRefusal(donor, end.error);
        listener.ended(end);
      },
    };
  }

  async #list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const donor = this.#donor();
    const { http, target } = this.#options;
    try {
      const body = await http.list(this.#request(donor, 'list', listQuery(request)), signal);
      return listPage(body, target.resource);
    } catch (error) {
      throw this.#noteRefusal(donor, error);
    }
  }

  async #get(donor: Donor, { metadata }: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const { base, target, http } = this.#options;
    const { name, namespace } = metadata;
    try {
      const url = resourceUrl(base, { ...target, namespace }, name);
      return trim(await http.call({ ...this.#request(donor, 'get', {}), url }, signal));
    } catch {
      return undefined;
    }
  }

  #donor(): Donor {
    const donor = this.#options.donors.current();
    if (donor === undefined)
      throw new UpstreamError('noIdentity', 'Nobody is here whose credentials could open the watch.');
    return donor;
  }

  #request(donor: Donor, verb: 'list' | 'watch' | 'get', query: Query): HttpRequest {
    const { base, target } = this.#options;
    return {
      url: resourceUrl(base, target, undefined, query),
      headers: authHeaders(donor.credentials, target.agentId),
      what: describe(verb, target),
    };
  }

  #noteRefusal<E>(donor: Donor, error: E): E {
    if (error instanceof UpstreamError && isRefusal(error)) this.#options.donors.refused(donor, error);
    return error;
  }
}

function listQuery({ limit, continueToken, notOlderThan }: ListRequest): Query {
  return {
    limit: limit?.toString(),
    continue: continueToken,
    resourceVersion: notOlderThan,
    resourceVersionMatch: notOlderThan === undefined ? undefined : 'NotOlderThan',
  };
}

function watchQuery({ resourceVersion, timeoutSeconds }: WatchRequest): Query {
  return {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: timeoutSeconds.toString(),
  };
}

/** A watch that could not even be asked for ends like any other: once, and not before `watch` has returned. */
function endSoon(listener: WatchListener, error: unknown): WatchHandle {
  if (!(error instanceof UpstreamError)) throw error;
  let closed = false;
  queueMicrotask(() => {
    if (!closed) listener.ended({ kind: 'failed', error });
  });
  return {
    close: () => {
      closed = true;
    },
  };
}
