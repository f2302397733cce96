import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { compareResourceVersions } from '../kubernetes/resource-version.ts';
import type { Sink } from '../sources/sink.ts';
import type { Hop, ReflectorStatus, WatchStatus } from '../sources/status.ts';
import type { FeedKey } from './feed-key.ts';
import { History, type Chronicle, type Lineage, type Revision } from './history.ts';
import { ObjectLog, type ApplyResult, type Delta, type LogEntry } from './object-log.ts';

export type { Revision } from './history.ts';

/** What happened to a log elsewhere, up to a revision. */
export interface Continuation {
  readonly revision: Revision;
  readonly lineage: Lineage;
  readonly entries: readonly LogEntry[];
  /** The collection is complete as of this version. */
  readonly resourceVersion: string | undefined;
}

/** How long readers of a line that was left have to cross over, in milliseconds. */
const CROSSING_MS = 60_000;

/**
 * One resource in one scope, shared by everyone who may see it: its objects, its revision, what changed lately,
 * and the status of the watch behind it. A reflector writes it as a `Sink`, or another replica's changes are entered;
 * readers are told that something has changed, once a turn of the event loop however much it was, and then look for
 * themselves.
 */
export class Feed implements Sink {
  readonly key: FeedKey;
  /** How often everything had to start over. */
  readonly counts = { resets: 0 };
  readonly #clock: Clock;
  readonly #changeListeners = new Set<() => void>();
  readonly #statusListeners = new Set<() => void>();
  readonly #history: History;
  readonly #annotated: (hops: readonly Hop[]) => readonly Hop[];
  #resourceVersion: string | undefined;
  #synced = false;
  #freshAsOf: number | undefined;
  #status: ReflectorStatus;
  #changeDue = false;

  /** `annotated`: the hops with what is known of our side beyond the watch itself. */
  constructor(key: FeedKey, clock: Clock, annotated: (hops: readonly Hop[]) => readonly Hop[] = (hops) => hops) {
    this.key = key;
    this.#clock = clock;
    this.#annotated = annotated;
    this.#history = new History(this.#newLog());
    this.#status = {
      state: 'CONNECTING',
      since: clock.now(),
      error: undefined,
      final: false,
      attempts: 0,
      nextRetryAt: undefined,
      transport: undefined,
      hops: [],
    };
  }

  // ---- reading

  /** False until the first complete list; what is held before that means nothing. */
  get synced(): boolean {
    return this.#synced;
  }

  get revision(): Revision {
    return this.#history.revision;
  }

  /** The collection's version that this is complete as of; undefined before the first sync. */
  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#log.size;
  }

  /** Milliseconds since 1970; the present while nothing has been synced, for lack of anything to date. */
  get freshAsOf(): number {
    return this.#freshAsOf ?? this.#clock.now();
  }

  get status(): WatchStatus {
    const { error, final: _, ...status } = this.#status;
    const hops = this.#annotated(status.hops);
    return { ...status, hops, freshAsOf: this.#freshAsOf, reason: error?.code, message: error?.message };
  }

  /** The same as the reflector has said it. */
  get reported(): ReflectorStatus {
    return this.#status;
  }

  objects(): Iterable<KubernetesObject> {
    return this.#log.objects();
  }

  get(uid: string): KubernetesObject | undefined {
    return this.#log.get(uid);
  }

  find(namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#log.find(namespace, name);
  }

  /** The net change since a revision, or undefined when that is no longer known, or never was. */
  since(revision: Revision): Delta | undefined {
    return this.#history.since(revision);
  }

  /** Whether this feed has been at that revision, however much is remembered of it. */
  knows(revision: Revision): boolean {
    return this.#history.knows(revision);
  }

  /** Resolves once there is a complete list; rejects with what is in the way of the first one. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        if (this.#synced) resolve();
        else if (this.#status.error !== undefined) reject(this.#status.error);
        else return false;
        return true;
      };
      if (settled()) return;
      const stop = this.onStatus(() => {
        if (settled()) stop();
      });
    });
  }

  /** What stands in the way for good, as long as nothing has been synced. */
  get failure(): ApiError | undefined {
    return !this.#synced && this.#status.final ? this.#status.error : undefined;
  }

  /** Calls `listener` after changes, at most once a turn of the event loop. Returns how to stop it. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Calls `listener` at once when the status changes. Returns how to stop it. */
  onStatus(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  // ---- writing (Sink)

  replace(objects: readonly KubernetesObject[], resourceVersion: string, continuity: 'kept' | 'lost'): void {
    if (continuity === 'lost' || this.#log.replace(objects, resourceVersion) === 'contradiction') {
      this.#startOver(objects, resourceVersion);
    }
    this.#resourceVersion = resourceVersion;
    this.progress();
    this.complete();
  }

  upsert(object: KubernetesObject): void {
    const result = this.#log.upsert(object);
    if (result === 'contradiction') this.#startOver([...this.objects(), object], object.metadata.resourceVersion);
    this.#heard(result);
    this.#advance(object.metadata.resourceVersion);
  }

  remove(object: KubernetesObject): void {
    this.#heard(this.#log.remove(object.metadata.uid, object.metadata.resourceVersion));
    this.#advance(object.metadata.resourceVersion);
  }

  progress(resourceVersion?: string): void {
    this.#freshAsOf = this.#clock.now();
    if (resourceVersion !== undefined) this.#advance(resourceVersion);
  }

  report(status: ReflectorStatus): void {
    this.#status = status;
    this.#statusChanged();
  }

  /** Nothing will come any more: whoever still waits for the first list is told. */
  close(): void {
    const error = this.#status.error ?? new ApiError('UPSTREAM_ERROR', 'The watch was closed before its first list.');
    this.report({ ...this.#status, state: 'DISCONNECTED', error, final: true });
  }

  // ---- sharing

  get floor(): number {
    return this.#log.floor;
  }

  get lineage(): Lineage {
    return this.#history.lineage;
  }

  /** Whether this is further on the line of that revision, or just there. */
  descendsFrom(revision: Revision): boolean {
    return this.#history.descendsFrom(revision);
  }

  /** What another replica lacks that is at this offset, and no further back than `floor`; or at 0, with nothing. */
  entriesAfter(offset: number): LogEntry[] {
    return this.#log.entriesAfter(offset);
  }

  /** The log under its name, for another feed to adopt. */
  get chronicle(): Chronicle {
    return this.#history.now;
  }

  /** Whether an object would be as it was before if the other feed took this one's place. */
  isAheadOf(other: Feed): boolean {
    return this.#log.isAheadOf(other.#log, other.#resourceVersion, this.#resourceVersion);
  }

  /** From here on it is another who writes: under a new name, which descends from this one. */
  fork(): void {
    this.#history.fork();
  }

  /** Goes on as the feed elsewhere did that this one follows. */
  follow({ revision, lineage, entries, resourceVersion }: Continuation): void {
    this.#log.follow(entries, revision.offset);
    this.#history.rename(revision.epoch, lineage);
    if (resourceVersion !== undefined) this.#advance(resourceVersion);
    if (entries.length > 0) this.#changed();
  }

  /** Becomes what another replica has written down. Those who read what was here before get the difference. */
  adopt(chronicle: Chronicle, resourceVersion: string | undefined): void {
    const former = this.#history.adopt(chronicle, this.#synced);
    if (former !== undefined) this.#clock.after(CROSSING_MS, () => this.#history.forget(former));
    this.#resourceVersion = resourceVersion;
    this.#changed();
  }

  /** The same, where what was here before is no basis for differences: readers get a snapshot. */
  startOver(chronicle: Chronicle, resourceVersion: string | undefined): void {
    this.counts.resets += 1;
    this.#history.adopt(chronicle, false);
    this.#resourceVersion = resourceVersion;
    this.#changed();
  }

  /** There is a complete collection. */
  complete(): void {
    const wasSynced = this.#synced;
    this.#synced = true;
    this.#changed();
    if (!wasSynced) this.#statusChanged();
  }

  /** Milliseconds since 1970. */
  setFresh(asOf: number): void {
    this.#freshAsOf = asOf;
  }

  get #log(): ObjectLog {
    return this.#history.log;
  }

  #advance(resourceVersion: string): void {
    const known = this.#resourceVersion;
    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) return;
    this.#resourceVersion = resourceVersion;
  }

  #heard(result: ApplyResult): void {
    this.progress();
    if (result !== 'stale') this.#changed();
  }

  /** What was known is no basis for differences any more: a new epoch, and every reader gets a snapshot. */
  #startOver(objects: readonly KubernetesObject[], resourceVersion: string): void {
    this.counts.resets += 1;
    this.#history.startOver(this.#newLog());
    this.#log.replace(objects, resourceVersion);
  }

  #newLog(): ObjectLog {
    return new ObjectLog(() => this.#clock.monotonic());
  }

  #changed(): void {
    if (this.#changeDue) return;
    this.#changeDue = true;
    // All events of one chunk are applied before anyone looks: readers see their net effect.
    queueMicrotask(() => {
      this.#changeDue = false;
      for (const listener of this.#changeListeners) listener();
    });
  }

  #statusChanged(): void {
    for (const listener of this.#statusListeners) listener();
  }
}
