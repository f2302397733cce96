import { isUser, type RequestMatch } from './faults.ts';
import { selection } from './list.ts';
import { OpenWatch, type WatchContext } from './open-watch.ts';
import type { ApiRequest } from './request.ts';
import { resourceKey } from './resources.ts';
import type { Responder } from './responder.ts';
import { parseRevision } from './revision.ts';
import { ApiError, expired, failure, invalidOptions, tooLargeResourceVersion, unparsable } from './status.ts';
import type { Store } from './store.ts';

export interface WatchSettings {
  /** Once a minute in real servers. */
  readonly bookmarkPeriodMs: number;
  /** A watch without `timeoutSeconds` lives once to twice this long. */
  readonly minRequestTimeoutMs: number;
  /** A watcher this far behind is dropped. */
  readonly slowWatcherBytes: number;
}

type Request = Omit<WatchContext, 'clock' | 'revision' | 'selects' | keyof WatchSettings>;

/** The watches that clients hold open. */
export class Watches {
  readonly #store: Store;
  readonly #settings: WatchSettings;
  readonly #open = new Set<OpenWatch>();

  constructor(store: Store, settings: WatchSettings) {
    this.#store = store;
    this.#settings = settings;
    store.onRewind(() => {
      for (const watch of this.#open) watch.reset();
    });
  }

  find(match: Pick<RequestMatch, 'resource' | 'namespace' | 'user'> = {}): OpenWatch[] {
    return [...this.#open].filter(
      ({ request, user }) =>
        (match.resource === undefined || match.resource === request.resource) &&
        (match.namespace === undefined || match.namespace === request.namespace) &&
        (match.user === undefined || isUser(match.user, user)),
    );
  }

  /** Answers a watch request. */
  serve(request: Request, out: Responder): void {
    const plan = this.#plan(request.request, request);
    const selects = selection(request.resource, request.request.query);
    const { clock } = this.#store;
    const context = { ...request, ...this.#settings, clock, selects, revision: () => this.#store.revision };
    const watch = new OpenWatch(context, out);
    if (plan.tooOld) {
      // Once a request is authorized and parsed, a too old version is told inside the stream.
      out.startStream();
      watch.error(expired(`too old resource version: ${plan.after} (${this.#store.compacted})`));
      return;
    }
    if (!watch.open(plan.after, this.#timeout(request.request.query))) return;
    const key = resourceKey(request.resource);
    if (plan.initial) {
      const objects = this.#store.list(key, request.request.namespace).filter(selects);
      watch.initial(objects, this.#store.revision, plan.announceEnd);
    } else {
      for (const change of this.#store.since(key, plan.after)) watch.change(change);
    }
    const unsubscribe = this.#store.subscribe(key, (change) => watch.change(change));
    this.#open.add(watch);
    out.onClose(() => {
      unsubscribe();
      this.#open.delete(watch);
    });
  }

  /** Where the watch starts: with the present state, or after a resourceVersion. */
  #plan({ query }: ApiRequest, { effect, resource }: Request) {
    const version = query.get('resourceVersion') ?? '';
    const revision = version === '' ? 0n : parseRevision(version);
    if (revision === undefined) throw new ApiError(failure(500, '', unparsable(version)));
    const asksInitial = query.has('sendInitialEvents') && effect.initialEvents !== 'ignore';
    if (asksInitial) this.#checkInitialEvents(query, effect.initialEvents);
    const wanted = asksInitial ? query.get('sendInitialEvents') === 'true' : revision === 0n;
    const current = BigInt(this.#store.revision);
    if (wanted) {
      if (revision > current) throw new ApiError(tooLargeResourceVersion(version, this.#store.revision));
      return { initial: true, announceEnd: asksInitial, after: current, tooOld: false };
    }
    const asked = revision === 0n ? current : revision;
    const after =
      effect.repeatChanges === undefined ? asked : this.#earlier(resourceKey(resource), asked, effect.repeatChanges);
    return { initial: false, announceEnd: false, after, tooOld: after < this.#store.compacted };
  }

  /** The revision from which a watch gives `count` changes more than from `revision`. */
  #earlier(resource: string, revision: bigint, count: number): bigint {
    const known = this.#store.since(resource, 0n).filter((change) => change.revision <= revision);
    return (known.at(-count)?.revision ?? revision + 1n) - 1n;
  }

  #checkInitialEvents(query: URLSearchParams, behaviour: 'ignore' | 'refuse' | 'fail' | undefined): void {
    const field = 'sendInitialEvents';
    if (behaviour === 'fail')
      throw new ApiError(failure(500, 'InternalError', 'Internal error occurred: watch-list failed'));
    if (behaviour === 'refuse') {
      throw new ApiError(
        invalidOptions(
          field,
          'Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
        ),
      );
    }
    if (query.get('resourceVersionMatch') !== 'NotOlderThan') {
      throw new ApiError(
        invalidOptions(
          'resourceVersionMatch',
          'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      );
    }
  }

  #timeout(query: URLSearchParams): number {
    const seconds = Number(query.get('timeoutSeconds') ?? 0);
    if (seconds > 0) return seconds * 1000;
    return this.#settings.minRequestTimeoutMs * (1 + this.#store.clock.random());
  }
}
