import type { KubernetesObject } from '../kubernetes/object.ts';
import { compareResourceVersions } from '../kubernetes/resource-version.ts';

/** How long a removed id is remembered, in milliseconds: to refuse late repeats and to tell it to those who resume. */
export const TOMBSTONE_MS = 10 * 60_000;
/** How many removed ids are remembered at most. */
export const MAX_TOMBSTONES = 10_000;

/** The last change of one object: its latest state, or a tombstone. */
export interface LogEntry {
  readonly uid: string;
  readonly nameKey: string;
  readonly resourceVersion: string;
  /** Undefined once removed. */
  readonly object: KubernetesObject | undefined;
  readonly offset: number;
  /** The offset at which the object first appeared. */
  readonly bornAt: number;
}

/** Entries are linked in order of change. */
interface Entry extends LogEntry {
  readonly at: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** The net effect of all changes after some offset: each object once, in its latest state. */
export interface Delta {
  readonly upserted: KubernetesObject[];
  readonly removed: string[];
}

export type ApplyResult = 'applied' | 'stale' | 'contradiction';

/**
 * The objects of a collection and the order in which they last changed.
 *
 * It is a list of entries by last change, newest at the tail, one entry an object. So "what changed since
 * offset n" is a walk back from the tail, already coalesced, and costs what has changed, not what there is;
 * a reader who falls behind costs no memory at all. Only tombstones are dropped with time, and with them
 * the offsets before them.
 */
export class ObjectLog {
  readonly #byUid = new Map<string, Entry>();
  readonly #uidByName = new Map<string, string>();
  #newest: Entry | undefined;
  /** Tombstones in order of removal. */
  readonly #tombstones: Entry[] = [];
  #firstTombstone = 0;
  #offset = 0;
  #floor = 0;
  #size = 0;
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * A log as another replica has written it down: entries in order of their offsets, up to `offset`; what was removed
   * at `floor` or before is not among them. Tombstones count as new, since clocks are not compared: they are
   * remembered longer for it, never shorter.
   */
  static of(entries: readonly LogEntry[], offset: number, floor: number, now: () => number): ObjectLog {
    const log = new ObjectLog(now);
    log.follow(entries, offset);
    log.#floor = floor;
    return log;
  }

  /** The number of changes so far. */
  get offset(): number {
    return this.#offset;
  }

  /** What was removed at this offset or before is not remembered. */
  get floor(): number {
    return this.#floor;
  }

  /** The number of objects. */
  get size(): number {
    return this.#size;
  }

  get(uid: string): KubernetesObject | undefined {
    return this.#byUid.get(uid)?.object;
  }

  find(namespace: string | undefined, name: string): KubernetesObject | undefined {
    const uid = this.#uidByName.get(`${namespace ?? ''}/${name}`);
    return uid === undefined ? undefined : this.get(uid);
  }

  *objects(): Generator<KubernetesObject> {
    for (const entry of this.#byUid.values()) if (entry.object !== undefined) yield entry.object;
  }

  /**
   * `stale`: a repeat or an older state than the one known, dropped. `contradiction`: an object came back
   * that was removed, and in a newer version, so the removal was wrong; the caller has to start over.
   */
  upsert(object: KubernetesObject): ApplyResult {
    const { uid, resourceVersion } = object.metadata;
    const known = this.#byUid.get(uid);
    if (known !== undefined) {
      const order = compareResourceVersions(resourceVersion, known.resourceVersion);
      if (known.object === undefined) return order === 1 ? 'contradiction' : 'stale';
      if (order === 0 || order === -1) return 'stale';
    }
    // Names do not change: who is here under a name has nobody beside it. Most changes end here.
    if (known?.object !== undefined && hasSameName(known.object, object)) {
      this.#append({ uid, nameKey: known.nameKey, resourceVersion, object, bornAt: known.bornAt });
      return 'applied';
    }
    const nameKey = keyOf(object);
    const namesake = this.#uidByName.get(nameKey);
    if (namesake !== undefined && namesake !== uid) {
      // One name, one object: the older of the two is gone, even if its removal has not been heard of.
      const other = this.#byUid.get(namesake);
      if (other !== undefined && compareResourceVersions(resourceVersion, other.resourceVersion) === -1) return 'stale';
      this.#bury(other, resourceVersion);
    }
    if (known === undefined) this.#size += 1;
    this.#uidByName.set(nameKey, uid);
    this.#append({ uid, nameKey, resourceVersion, object, bornAt: known?.bornAt });
    return 'applied';
  }

  /** `stale`: not known, or gone already. */
  remove(uid: string, resourceVersion: string): ApplyResult {
    return this.#bury(this.#byUid.get(uid), resourceVersion) ? 'applied' : 'stale';
  }

  /**
   * Makes `objects`, listed at `resourceVersion`, the whole collection: what is missing is removed, the rest
   * is upserted. Returns `contradiction`, having changed nothing, when it holds a removed object in a newer version.
   */
  replace(objects: readonly KubernetesObject[], resourceVersion: string): ApplyResult {
    const present = new Set<string>();
    for (const { metadata } of objects) {
      const known = this.#byUid.get(metadata.uid);
      if (known !== undefined && known.object === undefined) {
        if (compareResourceVersions(metadata.resourceVersion, known.resourceVersion) === 1) return 'contradiction';
      }
      present.add(metadata.uid);
    }
    for (const entry of this.#byUid.values()) if (!present.has(entry.uid)) this.#bury(entry, resourceVersion);
    for (const object of objects) this.upsert(object);
    return 'applied';
  }

  /**
   * Whether something would go back in time if `other` took this one's place: a removed object be there again, another
   * be older than it was, or be missing that `other`, complete as of `theirVersion`, has not come to know yet; or one be
   * there that was gone before this one, complete as of `ourVersion`, could come to know it.
   */
  isAheadOf(other: ObjectLog, theirVersion: string | undefined, ourVersion: string | undefined): boolean {
    for (const { metadata } of other.objects()) {
      if (ourVersion === undefined || this.#byUid.has(metadata.uid)) continue;
      if (compareResourceVersions(metadata.resourceVersion, ourVersion) === -1) return true;
    }
    for (const { uid, object, resourceVersion: ours } of this.#byUid.values()) {
      const theirs = other.#byUid.get(uid);
      if (object === undefined) {
        if (theirs?.object !== undefined) return true;
      } else if (theirs === undefined) {
        if (theirVersion === undefined || compareResourceVersions(theirVersion, ours) === -1) return true;
      } else if (compareResourceVersions(theirs.resourceVersion, ours) === -1) return true;
    }
    return false;
  }

  /** Undefined when `offset` lies before what is still remembered, or has not been reached yet. */
  since(offset: number): Delta | undefined {
    this.#forgetOldTombstones();
    if (offset < this.#floor || offset > this.#offset) return undefined;
    const upserted: KubernetesObject[] = [];
    const removed: string[] = [];
    for (let entry = this.#newest; entry !== undefined && entry.offset > offset; entry = entry.older) {
      if (entry.object !== undefined) upserted.push(entry.object);
      else if (entry.bornAt <= offset) removed.push(entry.uid); // else it came and went unseen
    }
    return { upserted: upserted.toReversed(), removed: removed.toReversed() };
  }

  /**
   * The last changes after an offset, oldest first, tombstones among them: what takes another replica's log from there
   * to here, if it is no older than `floor`, or has nothing yet.
   */
  entriesAfter(offset: number): LogEntry[] {
    this.#forgetOldTombstones();
    const entries: LogEntry[] = [];
    for (let entry = this.#newest; entry !== undefined && entry.offset > offset; entry = entry.older) {
      entries.push(entry);
    }
    return entries.toReversed();
  }

  /** Goes on to `offset` as the log that these entries are from has; those it has already are passed over. */
  follow(entries: readonly LogEntry[], offset: number): void {
    for (const entry of entries) if (entry.offset > this.#offset) this.#adopt(entry);
    this.#offset = Math.max(this.#offset, offset);
    this.#forgetOldTombstones();
  }

  #adopt(entry: LogEntry): void {
    const wasHere = this.#byUid.get(entry.uid)?.object !== undefined;
    if (entry.object !== undefined) {
      if (!wasHere) this.#size += 1;
      this.#uidByName.set(entry.nameKey, entry.uid);
    } else {
      if (wasHere) this.#size -= 1;
      if (this.#uidByName.get(entry.nameKey) === entry.uid) this.#uidByName.delete(entry.nameKey);
    }
    const linked = this.#link(entry);
    if (linked.object === undefined) this.#tombstones.push(linked);
  }

  #append(change: Omit<LogEntry, 'offset' | 'bornAt'> & { bornAt: number | undefined }): Entry {
    const offset = this.#offset + 1;
    return this.#link({ ...change, offset, bornAt: change.bornAt ?? offset });
  }

  /** Puts an entry at the end, in place of the object's last one. */
  #link({ uid, nameKey, resourceVersion, object, offset, bornAt }: LogEntry): Entry {
    const previous = this.#byUid.get(uid);
    if (previous !== undefined) this.#unlink(previous);
    const older = this.#newest;
    const at = this.#now();
    const entry = { uid, nameKey, resourceVersion, object, offset, bornAt, at, older, newer: undefined };
    if (older !== undefined) older.newer = entry;
    this.#newest = entry;
    this.#offset = offset;
    this.#byUid.set(uid, entry);
    return entry;
  }

  #unlink(entry: Entry): void {
    if (entry.older !== undefined) entry.older.newer = entry.newer;
    if (entry.newer !== undefined) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    entry.older = undefined;
    entry.newer = undefined;
  }

  #bury(entry: Entry | undefined, resourceVersion: string): boolean {
    if (entry?.object === undefined) return false;
    this.#size -= 1;
    if (this.#uidByName.get(entry.nameKey) === entry.uid) this.#uidByName.delete(entry.nameKey);
    const { uid, nameKey, bornAt } = entry;
    // The version of the removal, so that a late repeat of anything before it is recognised.
    const buried = { uid, nameKey, resourceVersion, object: undefined, bornAt };
    this.#tombstones.push(this.#append(buried));
    this.#forgetOldTombstones();
    return true;
  }

  #forgetOldTombstones(): void {
    const horizon = this.#now() - TOMBSTONE_MS;
    for (;;) {
      const oldest = this.#tombstones[this.#firstTombstone];
      if (oldest === undefined) break;
      if (this.#tombstones.length - this.#firstTombstone <= MAX_TOMBSTONES && oldest.at >= horizon) break;
      this.#firstTombstone += 1;
      this.#unlink(oldest);
      this.#byUid.delete(oldest.uid);
      this.#floor = oldest.offset;
    }
    if (this.#firstTombstone > MAX_TOMBSTONES) {
      this.#tombstones.splice(0, this.#firstTombstone);
      this.#firstTombstone = 0;
    }
  }
}

function hasSameName(one: KubernetesObject, other: KubernetesObject): boolean {
  return one.metadata.name === other.metadata.name && one.metadata.namespace === other.metadata.namespace;
}

function keyOf(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
