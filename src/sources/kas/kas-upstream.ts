import type { Donor, Donors, WatchTarget } from '../source.ts';
import { isRefusal, UpstreamError } from '../upstream-error.ts';
import type { ListPage, ListRequest, Upstream, WatchHandle, WatchListener, WatchRequest } from '../upstream.ts';
import { authHeaders } from './auth.ts';
import type { HttpRequest, KasHttp } from './http.ts';
import { watchOverHttp } from './http-watch.ts';
import { listPage } from './list-page.ts';
import { resourceUrl, type Query } from './paths.ts';
import { describe } from './wording.ts';

/** One collection behind KAS, opened with the credentials of whoever is its donor at the moment. */
export class KasUpstream implements Upstream {
  readonly #base: URL;
  readonly #http: KasHttp;
  readonly #target: WatchTarget;
  readonly #donors: Donors;

  constructor(base: URL, http: KasHttp, target: WatchTarget, donors: Donors) {
    this.#base = base;
    this.#http = http;
    this.#target = target;
    this.#donors = donors;
  }

  hasAnotherIdentity(): boolean {
    return this.#donors.current() !== undefined;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const donor = this.#donor();
    try {
      const body = await this.#http.list(this.#request(donor, 'list', listQuery(request)), signal);
      return listPage(body, this.#target.resource);
    } catch (error) {
      throw this.#noteRefusal(donor, error);
    }
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    let donor: Donor;
    let http: HttpRequest;
    try {
      donor = this.#donor();
      http = this.#request(donor, 'watch', watchQuery(request));
    } catch (error) {
      return endSoon(listener, error);
    }
    return watchOverHttp(this.#http, http, {
      opened: (transport) => listener.opened(transport),
      event: (event) => listener.event(event),
      ended: (end) => {
        if (end.kind === 'failed') this.#noteRefusal(donor, end.error);
        listener.ended(end);
      },
    });
  }

  #donor(): Donor {
    const donor = this.#donors.current();
    if (donor === undefined)
      throw new UpstreamError('noIdentity', 'Nobody is here whose credentials could open the watch.');
    return donor;
  }

  #request(donor: Donor, verb: 'list' | 'watch', query: Query): HttpRequest {
    return {
      url: resourceUrl(this.#base, this.#target, undefined, query),
      headers: authHeaders(donor.credentials, this.#target.agentId),
      what: describe(verb, this.#target),
    };
  }

  #noteRefusal<E>(donor: Donor, error: E): E {
    if (error instanceof UpstreamError && isRefusal(error)) this.#donors.refused(donor, error);
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
