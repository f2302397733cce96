import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { ListPage } from '../../../src/sources/upstream.ts';
import { failure } from '../../support/scripted-upstream.ts';
import type { Chance } from '../chance.ts';
import type { Timeline } from '../timeline.ts';
import type { Cluster } from './cluster.ts';
import type { ServedStream } from './stream.ts';

const BOOKMARK_MS = 60_000;
const PAGE = 4;

/** An API server: a cache of the cluster, maybe behind it, and the watches that it serves. */
export class Front {
  readonly #cluster: Cluster;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #streams = new Set<ServedStream>();
  readonly #snapshots: { readonly revision: number; readonly objects: readonly KubernetesObject[] }[] = [];
  #objects = new Map<string, KubernetesObject>();
  #revision: number;
  /** Sees nothing new. */
  #isBehind = false;

  constructor(cluster: Cluster, timeline: Timeline, chance: Chance) {
    this.#cluster = cluster;
    this.#timeline = timeline;
    this.#chance = chance;
    this.#revision = cluster.revision;
    this.#beat();
  }

  get streams(): readonly ServedStream[] {
    return [...this.#streams].filter(({ isWanted }) => isWanted);
  }

  // ---- as the cluster makes it

  /** Something has changed. */
  look(): void {
    if (this.#isBehind) return;
    for (const change of this.#cluster.after(this.#revision)) {
      const { uid } = change.object.metadata;
      if (change.type === 'DELETED') this.#objects.delete(uid);
      else this.#objects.set(uid, change.object);
      for (const stream of this.#streams) stream.send(change);
    }
    this.#revision = this.#cluster.revision;
  }

  restart(objects: Iterable<KubernetesObject>, revision: number): void {
    this.#objects = new Map(Array.from(objects, (object) => [object.metadata.uid, object]));
    this.#revision = revision;
    this.#isBehind = false;
    for (const stream of this.#streams) stream.end({ kind: 'failed', error: failure('torn') });
  }

  fallBehind(): void {
    this.#isBehind = true;
  }

  heal(): void {
    this.#isBehind = false;
    this.look();
  }

  // ---- requests

  /** The most recent state, in pages. */
  page(continueToken: string | undefined): ListPage {
    const [index = 0, start = 0] = (continueToken ?? `${this.#keep()}/0`).split('/').map(Number);
    const { revision, objects } = this.#snapshots[index] ?? { revision: 0, objects: [] };
    if (continueToken !== undefined && revision < this.#cluster.compactedAt) throw failure('expired');
    const end = start + PAGE;
    return {
      items: objects.slice(start, end),
      resourceVersion: String(revision),
      continueToken: end < objects.length ? `${index}/${end}` : undefined,
    };
  }

  /** What is cached, if that is not too old. */
  cached(notOlderThan: string): ListPage {
    if (Number(notOlderThan) > this.#revision) throw failure('tooLarge', 1_000);
    return { items: [...this.#objects.values()], resourceVersion: String(this.#revision), continueToken: undefined };
  }

  watch(stream: ServedStream): void {
    const from = Number(stream.request.resourceVersion);
    const isExpired = from < this.#cluster.compactedAt;
    if (isExpired && this.#chance.isLucky(0.5)) {
      stream.end({ kind: 'failed', error: failure('expired') });
      return;
    }
    if (from > this.#revision && this.#cluster.refusesFuture) {
      stream.end({ kind: 'failed', error: failure('tooLarge', 1_000) });
      return;
    }
    stream.accept();
    if (isExpired) {
      stream.end({ kind: 'failed', error: failure('expired') });
      return;
    }
    this.#streams.add(stream);
    const isRepeating = this.#chance.isLucky(0.3);
    const missed = this.#cluster.after(from - (isRepeating ? 1 : 0));
    for (const change of missed) if (change.revision <= this.#revision) stream.send(change);
  }

  /** One that has ended. */
  forget(stream: ServedStream): void {
    this.#streams.delete(stream);
  }

  #keep(): number {
    this.#snapshots.push({ revision: this.#cluster.revision, objects: this.#cluster.objects });
    return this.#snapshots.length - 1;
  }

  #beat(): void {
    this.#timeline.after(BOOKMARK_MS, () => {
      for (const stream of this.#streams) stream.bookmark(this.#revision);
      this.#beat();
    });
  }
}
