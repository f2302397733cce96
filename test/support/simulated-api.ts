import type { Clock } from '../../src/clock.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type {
  ListPage,
  ListRequest,
  Upstream,
  WatchHandle,
  WatchListener,
  WatchRequest,
} from '../../src/sources/upstream.ts';
import { pod } from './objects.ts';
import { failure } from './scripted-upstream.ts';
import { SimulatedStream, type Change } from './simulated-stream.ts';

/** What the next requests meet instead of an answer. */
export type Refusal = 'throttled' | 'server' | 'unreachable' | 'agentNotConnected' | 'forbidden' | 'malformed' | 'torn';

export interface Opening {
  readonly kind: 'list' | 'watch';
  readonly at: number;
}

/** How long an answer takes, in milliseconds. */
const LATENCY_MS = 3;
const BOOKMARK_MS = 60_000;
/** What a refused request is asked to wait. */
export const RETRY_AFTER_MS = 4_000;

/**
 * A small API server with one collection, a history, and a bad character on demand. It does what real ones do: a
 * version before its memory is 410, one from its future is 504 for a list and silence for a watch.
 */
export class SimulatedApi implements Upstream {
  /** Requests as they arrived; the pages of a list after the first are not new openings. */
  readonly openings: Opening[] = [];
  /** Every state that any object was ever in: `uid@resourceVersion`. */
  readonly existed = new Set<string>();
  /** Times at which a request was refused with a wish for a pause. */
  readonly throttledAt: number[] = [];
  readonly #clock: Clock;
  readonly #pageSize: number;
  #revision = 100;
  #births = 0;
  #objects = new Map<string, KubernetesObject>();
  #history: Change[] = [];
  /** Nothing at or before this revision is remembered. */
  #compactedAt = 100;
  readonly #streams = new Set<SimulatedStream>();
  readonly #held = new Set<SimulatedStream>();
  /** What the pages of a list are cut from. */
  readonly #snapshots: KubernetesObject[][] = [];
  #refusals: Refusal[] = [];
  #emptyCloses = 0;
  /** Opens that are never answered. */
  #blackHoles = 0;
  #expiredInStream = false;
  #isRestored = false;
  #backup: { revision: number; objects: Map<string, KubernetesObject> } | undefined;

  constructor(clock: Clock, pageSize = 3) {
    this.#clock = clock;
    this.#pageSize = pageSize;
    this.#beat();
  }

  // ---- the cluster changes

  /** Creates the object, or a new one of that name if there was one before. */
  create(name: string): void {
    if (this.#objects.has(name)) return;
    this.#births += 1;
    this.#write('ADDED', name, `${name}-${this.#births}`);
  }

  update(name: string): void {
    const object = this.#objects.get(name);
    if (object !== undefined) this.#write('MODIFIED', name, object.metadata.uid);
  }

  delete(name: string): void {
    const object = this.#objects.get(name);
    if (object === undefined) return;
    this.#revision += 1;
    this.#objects.delete(name);
    const last = pod(name, { uid: object.metadata.uid, resourceVersion: this.#revision });
    this.#publish({ type: 'DELETED', object: last, revision: this.#revision });
  }

  /** Another resource changes: the revision moves on, and nothing is heard of it here. */
  elsewhere(): void {
    this.#revision += 1;
  }

  // ---- and the server misbehaves

  /** Forgets its history. */
  compact(): void {
    this.#compactedAt = this.#revision;
    this.#history = [];
  }

  endAll(): void {
    for (const stream of this.#streams) stream.end({ kind: 'clean' });
  }

  tearAll(): void {
    for (const stream of this.#streams) stream.end({ kind: 'failed', error: failure('torn') });
  }

  garbleAll(): void {
    for (const stream of this.#streams) stream.end({ kind: 'failed', error: failure('malformed') });
  }

  failAll(): void {
    for (const stream of this.#streams) stream.end({ kind: 'failed', error: failure('server') });
  }

  /** The streams that are open now will never be heard of again. */
  silenceAll(): void {
    for (const stream of this.#streams) stream.isDead = true;
    this.#streams.clear();
  }

  refuseNext(refusal: Refusal, times: number): void {
    for (let index = 0; index < times; index += 1) this.#refusals.push(refusal);
  }

  closeNextAtOnce(times: number): void {
    this.#emptyCloses = times;
  }

  swallowNext(times: number): void {
    this.#blackHoles = times;
  }

  /** Says 410 as an event of an accepted stream from now on, or as the answer to its request. */
  sayExpiredInStream(inStream: boolean): void {
    this.#expiredInStream = inStream;
  }

  /** Once, and then goes on for long: a rewritten history that overtakes the one before is told apart by nobody. */
  backUp(): void {
    if (this.#backup !== undefined) return;
    this.#backup = { revision: this.#revision, objects: new Map(this.#objects) };
    this.#revision += 1_000_000;
  }

  /** Goes back to the backup, once: the process restarts, so all streams end. */
  restore(): void {
    if (this.#backup === undefined || this.#isRestored) return;
    this.#isRestored = true;
    this.#revision = this.#backup.revision;
    this.#objects = new Map(this.#backup.objects);
    this.compact();
    this.tearAll();
  }

  heal(): void {
    this.#refusals = [];
    this.#emptyCloses = 0;
    this.#blackHoles = 0;
  }

  // ---- looking at it

  get contents(): string[] {
    return Array.from(this.#objects.values(), stateOf).toSorted();
  }

  /** Streams that the client holds or is opening. */
  get held(): number {
    return this.#held.size;
  }

  /** Those of them that were accepted. That some are dead, nobody can know yet. */
  get accepted(): number {
    return [...this.#held].filter(({ isAccepted }) => isAccepted).length;
  }

  // ---- Upstream

  hasAnotherIdentity(): boolean {
    return false;
  }

  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    if (request.continueToken === undefined) this.openings.push({ kind: 'list', at: this.#clock.monotonic() });
    await this.#pass(LATENCY_MS, signal);
    this.#refuse();
    if (this.#blackHoles > 0) {
      this.#blackHoles -= 1;
      await this.#pass(30_000, signal);
      throw failure('timeout');
    }
    const { continueToken, notOlderThan, limit } = request;
    if (notOlderThan !== undefined && Number(notOlderThan) > this.#revision) throw failure('tooLarge', 1_000);
    if (continueToken !== undefined) return this.#page(continueToken);
    const all = [...this.#objects.values()];
    if (limit === undefined || all.length <= this.#pageSize) return listed(all, this.#revision);
    return this.#page(`${this.#revision}/${this.#keep(all)}/0`);
  }

  watch(request: WatchRequest, listener: WatchListener): WatchHandle {
    this.openings.push({ kind: 'watch', at: this.#clock.monotonic() });
    const stream = new SimulatedStream(this.#clock, request, listener, (ended) => {
      this.#streams.delete(ended);
      this.#held.delete(ended);
    });
    this.#held.add(stream);
    if (this.#blackHoles > 0) {
      this.#blackHoles -= 1;
      return stream;
    }
    stream.soon(LATENCY_MS, () => this.#accept(stream));
    return stream;
  }

  #accept(stream: SimulatedStream): void {
    try {
      this.#refuse();
    } catch (error) {
      stream.end({ kind: 'failed', error: error as ReturnType<typeof failure> });
      return;
    }
    const from = Number(stream.request.resourceVersion);
    const isExpired = from < this.#compactedAt;
    if (isExpired && !this.#expiredInStream) {
      stream.end({ kind: 'failed', error: failure('expired') });
      return;
    }
    this.#streams.add(stream);
    stream.accept();
    if (isExpired) stream.end({ kind: 'failed', error: failure('expired') });
    else if (this.#emptyCloses > 0) {
      this.#emptyCloses -= 1;
      stream.end({ kind: 'clean' });
    } else {
      // What it has missed; and the last change once more, as some servers do.
      const missed = this.#history.filter(({ revision }) => revision >= from);
      for (const change of missed) stream.send(change);
      stream.soon(stream.request.timeoutSeconds * 1_000, () => stream.end({ kind: 'clean' }));
    }
  }

  #refuse(): void {
    const refusal = this.#refusals.shift();
    if (refusal === undefined) return;
    const asksForPause = refusal === 'throttled' || refusal === 'unreachable';
    if (asksForPause) this.throttledAt.push(this.#clock.monotonic());
    throw failure(refusal, asksForPause ? RETRY_AFTER_MS : undefined);
  }

  #keep(objects: KubernetesObject[]): number {
    this.#snapshots.push(objects);
    return this.#snapshots.length - 1;
  }

  /** A page of the snapshot that the token names: `revision/snapshot/start`. */
  #page(token: string): ListPage {
    const [revision = 0, snapshot = 0, start = 0] = token.split('/').map(Number);
    if (revision < this.#compactedAt) throw failure('expired');
    const all = this.#snapshots[snapshot] ?? [];
    const end = start + this.#pageSize;
    const next = end < all.length ? `${revision}/${snapshot}/${end}` : undefined;
    return listed(all.slice(start, end), revision, next);
  }

  #write(type: 'ADDED' | 'MODIFIED', name: string, uid: string): void {
    this.#revision += 1;
    const object = pod(name, { uid, resourceVersion: this.#revision });
    this.#objects.set(name, object);
    this.existed.add(stateOf(object));
    this.#publish({ type, object, revision: this.#revision });
  }

  #publish(change: Change): void {
    this.#history.push(change);
    for (const stream of this.#streams) stream.send(change);
  }

  #beat(): void {
    this.#clock.after(BOOKMARK_MS, () => {
      for (const stream of this.#streams) stream.bookmark(this.#revision);
      this.#beat();
    });
  }

  #pass(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = () => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      const timer = this.#clock.after(milliseconds, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}

export function stateOf({ metadata }: KubernetesObject): string {
  return `${metadata.uid}@${metadata.resourceVersion}`;
}

function listed(items: readonly KubernetesObject[], revision: number, continueToken?: string): ListPage {
  return { items, resourceVersion: String(revision), continueToken };
}
