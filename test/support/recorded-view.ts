import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { compareResourceVersions } from '../../src/kubernetes/resource-version.ts';
import type { Update } from '../../src/pubsub/updates.ts';

/**
 * A client that applies updates as the contract says, and notes every breach of what always holds: versions that go
 * back, ids that return after their removal, totals that are wrong.
 */
export class RecordedView {
  readonly updates: Update[] = [];
  readonly breaches: string[] = [];
  readonly objects = new Map<string, KubernetesObject>();
  /** What went, and the last state that was seen of it, if any was. */
  readonly #removed = new Map<string, string | undefined>();
  readonly #isFiltered: boolean;
  readonly #stream: AsyncIterableIterator<Update>;
  /** Settles when the stream has ended, with its error if it had one. */
  readonly ended: Promise<unknown>;
  error: unknown;

  /**
   * `before`: what the same client saw until it dropped off, with the cursor that it comes back with. `isFiltered`: an
   * object may leave the view though it lives on, and come back to it as it is by then.
   */
  constructor(stream: AsyncIterableIterator<Update>, before?: RecordedView, isFiltered = false) {
    this.#stream = stream;
    this.#isFiltered = isFiltered;
    for (const [uid, object] of before?.objects ?? []) this.objects.set(uid, object);
    for (const [uid, seen] of before === undefined ? [] : before.#removed) this.#removed.set(uid, seen);
    this.ended = this.#follow();
  }

  get last(): Update | undefined {
    return this.updates.at(-1);
  }

  get snapshots(): Update[] {
    return this.updates.filter(({ type }) => type === 'SNAPSHOT');
  }

  /** uid → resourceVersion, to compare with the cluster. */
  versions(): Record<string, string> {
    return versionsOf(this.objects.values());
  }

  async leave(): Promise<void> {
    await this.#stream.return?.();
    await this.ended;
  }

  async #follow(): Promise<void> {
    try {
      for await (const update of this.#stream) this.#apply(update);
    } catch (error) {
      this.error = error;
    }
  }

  #apply(update: Update): void {
    this.updates.push(update);
    if (update.type === 'SNAPSHOT') {
      this.objects.clear();
      if (update.resyncReason === 'UPSTREAM_RESET') this.#removed.clear();
    }
    for (const uid of update.removed) {
      this.#removed.set(uid, this.objects.get(uid)?.metadata.resourceVersion ?? this.#removed.get(uid));
      this.objects.delete(uid);
    }
    for (const object of update.upserted) this.#upsert(object);
    if (update.total !== this.objects.size) this.#breach(`total ${update.total}, but ${this.objects.size} are held`);
  }

  #upsert(object: KubernetesObject): void {
    const { uid, resourceVersion } = object.metadata;
    const known = this.objects.get(uid)?.metadata.resourceVersion;
    if (known !== undefined && compareResourceVersions(resourceVersion, known) === -1) {
      this.#breach(`${uid} went back from ${known} to ${resourceVersion}`);
    }
    if (this.#removed.has(uid) && !this.#mayReturn(object)) this.#breach(`${uid} came back after its removal`);
    this.objects.set(uid, object);
  }

  #mayReturn({ metadata: { uid, resourceVersion } }: KubernetesObject): boolean {
    const seen = this.#removed.get(uid);
    return this.#isFiltered && (seen === undefined || compareResourceVersions(resourceVersion, seen) === 1);
  }

  #breach(text: string): void {
    this.breaches.push(`update ${this.updates.length}: ${text}`);
  }
}

export function versionsOf(
  objects: Iterable<{ metadata: { uid: string; resourceVersion: string } }>,
): Record<string, string> {
  return Object.fromEntries([...objects].map(({ metadata }) => [metadata.uid, metadata.resourceVersion]));
}
