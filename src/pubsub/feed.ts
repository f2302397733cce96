import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Sink } from '../sources/sink.ts';
import type { WatchTarget } from '../sources/source.ts';
import type { ReflectorStatus, WatchStatus } from '../sources/status.ts';
import { ObjectLog, type ApplyResult, type Delta } from './object-log.ts';

export interface FeedKey extends WatchTarget {
  /** Set where clusters answer each user differently: then a feed is one viewer's, and shared by nobody else. */
  readonly identity?: string | undefined;
}

/** How far a reader is: which log, and how many of its changes. */
export interface Revision {
  readonly epoch: string;
  readonly offset: number;
}

/** What was applied, what was dropped as a repeat, and how often everything had to start over. */
export interface FeedCounts {
  applied: number;
  stale: number;
  resets: number;
}

/**
 * One resource in one scope, shared by everyone who may see it: its objects, its revision, what changed lately,
 * and the status of the watch behind it. A reflector writes it as a `Sink`; readers are told that something has
 * changed, once a turn of the event loop however much it was, and then look for themselves.
 */
export class Feed implements Sink {
  readonly key: FeedKey;
  readonly counts: FeedCounts = { applied: 0, stale: 0, resets: 0 };
  readonly #clock: Clock;
  readonly #changeListeners = new Set<() => void>();
  readonly #statusListeners = new Set<() => void>();
  #log: ObjectLog;
  #epoch = newEpoch();
  #synced = false;
  #freshAsOf: number | undefined;
  #status: ReflectorStatus;
  #changeDue = false;

  readonly #serverTrouble: () => string | undefined;

  /** `serverTrouble`: what is wrong on our side, though the watch goes on. */
  constructor(key: FeedKey, clock: Clock, serverTrouble: () => string | undefined = () => undefined) {
    this.key = key;
    this.#clock = clock;
    this.#serverTrouble = serverTrouble;
    this.#log = this.#newLog();
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
    return { epoch: this.#epoch, offset: this.#log.offset };
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
    const trouble = this.#serverTrouble();
    const hops =
      trouble === undefined
        ? status.hops
        : status.hops.map((hop) => (hop.name === 'server' ? { ...hop, reason: trouble } : hop));
    return { ...status, hops, freshAsOf: this.#freshAsOf, reason: error?.code, message: error?.message };
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
    return revision.epoch === this.#epoch ? this.#log.since(revision.offset) : undefined;
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
    const wasSynced = this.#synced;
    this.#synced = true;
    this.progress();
    this.#changed();
    if (!wasSynced) this.#statusChanged();
  }

  upsert(object: KubernetesObject): void {
    const result = this.#log.upsert(object);
    if (result === 'contradiction') this.#startOver([...this.objects(), object], object.metadata.resourceVersion);
    this.#count(result);
  }

  remove(object: KubernetesObject): void {
    this.#count(this.#log.remove(object.metadata.uid, object.metadata.resourceVersion));
  }

  progress(): void {
    this.#freshAsOf = this.#clock.now();
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

  #count(result: ApplyResult): void {
    this.progress();
    if (result === 'stale') {
      this.counts.stale += 1;
      return;
    }
    this.counts.applied += 1;
    this.#changed();
  }

  /** What was known is no basis for differences any more: a new epoch, and every reader gets a snapshot. */
  #startOver(objects: readonly KubernetesObject[], resourceVersion: string): void {
    this.counts.resets += 1;
    this.#epoch = newEpoch();
    this.#log = this.#newLog();
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

function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}
