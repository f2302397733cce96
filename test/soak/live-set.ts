import { compareResourceVersions } from '../../src/kubernetes/resource-version.ts';

/** What the documents here select of an update. */
export interface SetUpdate {
  readonly type: 'SNAPSHOT' | 'CHANGES';
  readonly upserted: readonly { readonly id: string; readonly metadata: { readonly resourceVersion: string } }[];
  readonly removed: readonly string[];
  readonly cursor: string;
  readonly resyncReason: string | null;
  readonly total: number;
}

/** A client's set, kept as the contract says, and every breach of what always holds. It goes on when its client comes back. */
export class LiveSet {
  readonly versions = new Map<string, string>();
  readonly breaches: string[] = [];
  cursor: string | undefined;
  updates = 0;
  /** The newest version ever seen of each object, snapshots or not. */
  readonly #newest = new Map<string, string>();
  readonly #removed = new Set<string>();

  apply(update: SetUpdate): void {
    this.updates += 1;
    if (update.type === 'SNAPSHOT') this.#startOver(update.resyncReason);
    else if (this.cursor === undefined) this.#breach('the first message is no snapshot');
    this.cursor = update.cursor;
    for (const id of update.removed) {
      this.versions.delete(id);
      this.#removed.add(id);
    }
    for (const { id, metadata } of update.upserted) this.#upsert(id, metadata.resourceVersion);
    if (update.total !== this.versions.size) this.#breach(`total ${update.total}, but ${this.versions.size} are held`);
  }

  equals(truth: Readonly<Record<string, string>>): boolean {
    const ids = Object.keys(truth);
    return ids.length === this.versions.size && ids.every((id) => this.versions.get(id) === truth[id]);
  }

  #startOver(resyncReason: string | null): void {
    this.versions.clear();
    if (resyncReason !== 'UPSTREAM_RESET') return;
    this.#removed.clear();
    this.#newest.clear();
  }

  #upsert(id: string, version: string): void {
    const newest = this.#newest.get(id);
    if (newest !== undefined && compareResourceVersions(version, newest) === -1) {
      this.#breach(`${id} went back from ${newest} to ${version}`);
    }
    if (this.#removed.has(id)) this.#breach(`${id} came back after its removal`);
    this.#newest.set(id, version);
    this.versions.set(id, version);
  }

  #breach(text: string): void {
    this.breaches.push(`update ${this.updates}: ${text}`);
  }
}
