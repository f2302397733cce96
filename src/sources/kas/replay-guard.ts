import type { KubernetesObject } from '../../kubernetes/object.ts';
import { compareResourceVersions } from '../../kubernetes/resource-version.ts';
import type { FullList } from '../reflector/list.ts';
import { Stopped } from '../stopped.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { WatchEvent, WatchRequest } from '../upstream.ts';
import type { KnownObjects } from './known-objects.ts';

/**
 * Whether the aggregated watch of an agent starts where it is told to. `replays`: it ignores `resource_version` and
 * begins with everything there is. `unknown` is treated like it wherever something could be lost.
 */
export class ReplayMemory {
  state: 'unknown' | 'honours' | 'replays' = 'unknown';
}

export interface ReplayGuardOptions {
  readonly request: WatchRequest;
  readonly memory: ReplayMemory;
  readonly known: KnownObjects;
  /** The object as it is now; undefined when it is gone or cannot be had. */
  readonly get: (object: KubernetesObject, signal: AbortSignal) => Promise<KubernetesObject | undefined>;
  /** The whole collection, at least as new as a version. */
  readonly list: (notOlderThan: string, signal: AbortSignal) => Promise<FullList>;
  readonly opened: () => void;
  readonly event: (event: WatchEvent) => void;
  /** The list that was needed has failed: the watch is of no use. */
  readonly failed: (error: unknown) => void;
}

/**
 * Makes a watch that may start anywhere one that starts after its resourceVersion.
 *
 * A server that replays never says DELETED for what vanished before it began. So while the watch is running already,
 * the collection is listed, and the watch's events wait: what is known but not in the list has vanished, and of the
 * events only those after the list's version are news. Nobody downstream sees more than the difference.
 *
 * passing: events go through. It starts there when the server honours versions, or right after the reflector's list.
 * proving: an ADDED came that may be news or part of a replay, or time has passed since the reflector's own list. An
 *   object that must be in any replay is looked at.
 * listing: the server replays, or nothing proves that it does not.
 */
export class ReplayGuard {
  readonly #options: ReplayGuardOptions;
  readonly #abort = new AbortController();
  #state: 'passing' | 'proving' | 'listing' = 'passing';
  /** Events that come meanwhile, by uid, in order of the last one: bounded by the number of objects. */
  readonly #waiting = new Map<string, WatchEvent>();
  /** What is not newer is no news. */
  #floor: string;
  #isOpened = false;
  #hasAdded = false;
  #isReconciled = false;

  constructor(options: ReplayGuardOptions) {
    this.#options = options;
    this.#floor = options.request.resourceVersion;
  }

  /** The server has the watch and has not said anything yet. */
  accepted(): void {
    this.#begin();
    if (this.#options.memory.state === 'unknown' && this.#state === 'passing') void this.#prove();
  }

  event(event: WatchEvent): void {
    const verdict = this.#judge(event);
    if (verdict === 'replay' && !this.#isReconciled) this.#reconcile();
    this.#begin(verdict === 'unclear');
    if (this.#state === 'passing') this.#pass(event);
    else this.#wait(event);
  }

  close(): void {
    this.#abort.abort(new Stopped());
  }

  /** Learns from an event, and says what it is. */
  #judge(event: WatchEvent): 'news' | 'replay' | 'unclear' {
    const { memory, known, request } = this.#options;
    if (event.type === 'BOOKMARK') return 'news';
    const { uid, resourceVersion } = event.object.metadata;
    if (event.type !== 'ADDED') {
      // It was there before the watch, and a replay would have had it first.
      if (!this.#hasAdded && known.get(uid) !== undefined) memory.state = 'honours';
      return 'news';
    }
    this.#hasAdded = true;
    if (isNotAfter(resourceVersion, request.resourceVersion)) {
      memory.state = 'replays';
      return 'replay';
    }
    return memory.state === 'honours' ? 'news' : 'unclear'; // new, or old and changed since
  }

  /** With the first sign of life, and when an event is unclear. */
  #begin(isUnclear = false): void {
    const { memory, known, request } = this.#options;
    if (this.#state !== 'passing' || this.#isReconciled || (this.#isOpened && !isUnclear)) return;
    const isFresh = known.listedVersion === request.resourceVersion;
    if (memory.state === 'replays') this.#reconcile();
    else if (isUnclear || (memory.state === 'unknown' && !isFresh)) void this.#clearUp();
    else this.#open();
  }

  #open(): void {
    if (this.#isOpened) return;
    this.#isOpened = true;
    this.#options.opened();
  }

  async #clearUp(): Promise<void> {
    this.#state = 'proving';
    await this.#prove();
    if (this.#state !== 'proving' || this.#abort.signal.aborted) return;
    if (this.#options.memory.state !== 'honours') {
      this.#reconcile();
      return;
    }
    this.#open();
    this.#letPass();
  }

  /**
   * A server that says nothing may have nothing to replay. So an object is looked at: if it is still as it was, it was
   * there when the watch began, and a replay would have come, because the question goes the same way after the watch.
   * Should that replay be late, it has the object in it and shows itself by that. Once an agent, as a rule.
   */
  async #prove(): Promise<void> {
    const { known, get, memory } = this.#options;
    for (const sample of leastAndMostRecent(known.values())) {
      const now = await get(sample, this.#abort.signal);
      if (now !== undefined && now.metadata.uid === sample.metadata.uid) this.#wasThere([now]);
      if (memory.state !== 'unknown' || this.#abort.signal.aborted) return;
    }
  }

  /** These are there now, and the watch has said what it has said: what was there before would have been replayed. */
  #wasThere(objects: readonly KubernetesObject[]): void {
    const { memory, request } = this.#options;
    const isOld = ({ metadata }: KubernetesObject) => isNotAfter(metadata.resourceVersion, request.resourceVersion);
    if (memory.state === 'unknown' && objects.some(isOld)) memory.state = 'honours';
  }

  #reconcile(): void {
    if (this.#state === 'listing') return;
    this.#state = 'listing';
    this.#isReconciled = true;
    void this.#list();
  }

  async #list(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const list = await this.#options.list(this.#floor, signal);
      if (!signal.aborted) this.#apply(list);
    } catch (error) {
      if (!signal.aborted) this.#options.failed(error);
    }
  }

  #apply({ objects, resourceVersion }: FullList): void {
    if (compareResourceVersions(resourceVersion, this.#floor) === -1) {
      this.#options.failed(new UpstreamError('tooLarge', 'The list was older than what was asked for.'));
      return;
    }
    this.#wasThere(objects);
    this.#floor = resourceVersion;
    this.#open();
    for (const event of difference(this.#options.known, objects, resourceVersion)) this.#emit(event);
    this.#emit({ type: 'BOOKMARK', resourceVersion });
    this.#letPass();
  }

  #wait(event: WatchEvent): void {
    const key = event.type === 'BOOKMARK' ? '' : event.object.metadata.uid;
    this.#waiting.delete(key); // so that it moves to the end
    this.#waiting.set(key, event);
  }

  #letPass(): void {
    this.#state = 'passing';
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const event of events) this.#pass(event);
  }

  #pass(event: WatchEvent): void {
    const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
    const order = compareResourceVersions(version, this.#floor);
    if (order === -1 || (order === 0 && event.type !== 'BOOKMARK')) return;
    this.#emit(event);
  }

  #emit(event: WatchEvent): void {
    if (!this.#abort.signal.aborted) this.#options.event(event);
  }
}

/** One that seldom changes, and one that has just done so: it is unlikely that both change again at this moment. */
function leastAndMostRecent(objects: Iterable<KubernetesObject>): Iterable<KubernetesObject> {
  let [least, most]: (KubernetesObject | undefined)[] = [];
  for (const object of objects) {
    if (least === undefined || isNotAfter(object.metadata.resourceVersion, least.metadata.resourceVersion))
      least = object;
    if (most === undefined || isNotAfter(most.metadata.resourceVersion, object.metadata.resourceVersion)) most = object;
  }
  return new Set([least, most].filter((object) => object !== undefined));
}

function isNotAfter(version: string, other: string): boolean {
  const order = compareResourceVersions(version, other);
  return order === -1 || order === 0;
}

/** The events that lead from what is known to a list. What is known in a newer state than the list's is left alone. */
function difference(known: KnownObjects, listed: readonly KubernetesObject[], version: string): WatchEvent[] {
  const present = new Set(listed.map(({ metadata }) => metadata.uid));
  const events: WatchEvent[] = [];
  for (const object of known.values()) {
    const { uid, resourceVersion } = object.metadata;
    if (present.has(uid) || compareResourceVersions(resourceVersion, version) === 1) continue;
    events.push({
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: version } },
    });
  }
  for (const object of listed) {
    const before = known.get(object.metadata.uid);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
    events.push({ type: before === undefined ? 'ADDED' : 'MODIFIED', object });
  }
  return events;
}
