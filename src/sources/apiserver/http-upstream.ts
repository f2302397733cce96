import { UpstreamError, isRefusal } from '../upstream-error.ts';
import type { Donor, Donors, WatchTarget } from '../source.ts';
import type { ListPage, ListRequest, Upstream, WatchHandle, WatchListener, WatchRequest } from '../upstream.ts';
import type { ApiClient, ApiRequest } from './client.ts';
import { watchOverHttp } from './http-watch.ts';
import { listPage } from './list-page.ts';
import { resourcePath, type Query } from './paths.ts';
import { describe } from './wording.ts';

export interface HttpUpstreamOptions {
  readonly target: WatchTarget;
  readonly donors: Donors;
  /** Throws an UpstreamError when the donor's credentials are for another cluster. */
  readonly clientOf: (donor: Donor) => ApiClient;
}

/** One collection over HTTP, opened with the credentials of whoever is its donor at the moment. */
export class HttpUpstream implements Upstream {
  readonly #options: HttpUpstreamOptions;

  constructor(options: HttpUpstreamOptions) {
    this.#options = options;
  }

  hasAnotherIdentity(): boolean {
    return this.#options.donors.current() !== undefined;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const donor = this.donor();
    const { target, clientOf } = this.#options;
    try {
      const body = await clientOf(donor).list(requestOf('list', target, listQuery(request)), signal);
      return listPage(body, target.resource);
    } catch (error) {
      throw this.noteRefusal(donor, error);
    }
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    try {
      const donor = this.donor();
      return this.watchWith(donor, request, {
        opened: (transport) => listener.opened(transport),
        event: (event) => listener.event(event),
        ended: (end) => {
          if (end.kind === 'failed') this.noteRefusal(donor, end.error);
          listener.ended(end);
        },
      });
    } catch (error) {
      return endSoon(listener, error);
    }
  }

  /** Who lends credentials now. Throws `noIdentity` when nobody does. */
  donor(): Donor {
    const donor = this.#options.donors.current();
    if (donor === undefined)
      throw new UpstreamError('noIdentity', 'Nobody is here whose credentials could open the watch.');
    return donor;
  }

  /** Starts a watch with this donor's credentials, and leaves it to the listener to note a refusal. */
  watchWith(donor: Donor, request: WatchRequest, listener: WatchListener): WatchHandle {
    const { target, clientOf } = this.#options;
    return watchOverHttp(clientOf(donor), requestOf('watch', target, watchQuery(request)), listener);
  }

  /** Tells the donor of a refusal. Returns the error. */
  noteRefusal<E>(donor: Donor, error: E): E {
    if (error instanceof UpstreamError && isRefusal(error)) this.#options.donors.refused(donor, error);
    return error;
  }
}

/** A watch that could not even be asked for ends like any other: once, and not before `watch` has returned. */
export function endSoon(listener: WatchListener, error: unknown): WatchHandle {
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

function requestOf(verb: 'list' | 'watch', target: WatchTarget, query: Query): ApiRequest {
  return { path: resourcePath(target, undefined, query), what: describe(verb, target) };
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
