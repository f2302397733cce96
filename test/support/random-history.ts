import * as fc from 'fast-check';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { TOMBSTONE_MS } from '../../src/pubsub/object-log.ts';
import type { WatchEvent } from '../../src/sources/upstream.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { pod } from './objects.ts';

export interface HistorySink {
  replace(objects: readonly KubernetesObject[], resourceVersion: string, continuity: 'kept' | 'lost'): void;
  upsert(object: KubernetesObject): void;
  remove(object: KubernetesObject): void;
}

export type Act =
  | { readonly kind: 'create' | 'update' | 'delete'; readonly name: string; readonly color: string }
  /** Changes that no event tells of, and then a list. */
  | { readonly kind: 'gap'; readonly changes: readonly Act[] }
  /** An event of some time ago once more; streams that overlap repeat what is minutes old, never what is older. */
  | { readonly kind: 'replay'; readonly which: number }
  | { readonly kind: 'relist' }
  /** The cluster goes back in its history, and everything is listed. */
  | { readonly kind: 'rewrite' }
  | { readonly kind: 'wait'; readonly ms: number };

const change: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom('create', 'update', 'delete'),
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  color: fc.constantFrom('red', 'blue'),
});

/** What may happen to a collection, with waits up to `longestMs`. */
export function acts(longestMs: number): fc.Arbitrary<Act[]> {
  const act = fc.oneof<fc.WeightedArbitrary<Act>[]>(
    { weight: 12, arbitrary: change },
    { weight: 2, arbitrary: fc.array(change, { maxLength: 6 }).map((changes): Act => ({ kind: 'gap', changes })) },
    { weight: 3, arbitrary: fc.nat().map((which): Act => ({ kind: 'replay', which })) },
    { weight: 1, arbitrary: fc.constantFrom<Act[]>({ kind: 'relist' }, { kind: 'rewrite' }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: longestMs }).map((ms): Act => ({ kind: 'wait', ms })) },
  );
  return fc.array(act, { maxLength: 40, size: 'max' });
}

/** A collection with a past, whose changes are told to a sink: in order, some of them twice, some only by a list. */
export class History {
  readonly #sink: HistorySink;
  readonly #clock: VirtualClock;
  readonly #objects = new Map<string, KubernetesObject>();
  #told: { readonly event: WatchEvent; readonly at: number }[] = [];
  #revision = 1_000;
  #births = 0;

  constructor(sink: HistorySink, clock: VirtualClock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#relist('kept');
  }

  get objects(): KubernetesObject[] {
    return [...this.#objects.values()];
  }

  async act(act: Act): Promise<void> {
    switch (act.kind) {
      case 'create':
      case 'update':
      case 'delete':
        this.#tell(this.#change(act.kind, act.name, act.color));
        return;
      case 'gap':
        for (const each of act.changes) if ('name' in each) this.#change(each.kind, each.name, each.color);
        this.#relist('kept');
        return;
      case 'replay':
        this.#replay(act.which);
        return;
      case 'relist':
        this.#relist('kept');
        return;
      case 'rewrite':
        this.#revision = Math.max(1, Math.floor(this.#revision / 10));
        for (const [name, { metadata }] of this.#objects) {
          this.#objects.set(name, pod(name, { ...metadata, resourceVersion: (this.#revision += 1) }));
        }
        this.#told = [];
        this.#relist('lost');
        return;
      case 'wait':
        await this.#clock.advance(act.ms);
        return;
      default:
        act satisfies never;
    }
  }

  #change(kind: 'create' | 'update' | 'delete', name: string, color: string): WatchEvent | undefined {
    const before = this.#objects.get(name);
    if ((kind === 'create') === (before !== undefined)) return undefined;
    const resourceVersion = (this.#revision += 1);
    const uid = before?.metadata.uid ?? `${name}-${(this.#births += 1)}`;
    const object = pod(name, { uid, resourceVersion, labels: { color } });
    if (kind === 'delete') this.#objects.delete(name);
    else this.#objects.set(name, object);
    return { type: ({ create: 'ADDED', update: 'MODIFIED', delete: 'DELETED' } as const)[kind], object };
  }

  #tell(event: WatchEvent | undefined): void {
    if (event === undefined) return;
    this.#told.push({ event, at: this.#clock.monotonic() });
    this.#deliver(event);
  }

  #replay(which: number): void {
    const recent = this.#told.filter(({ at }) => this.#clock.monotonic() - at <= TOMBSTONE_MS);
    if (recent.length > 0) this.#deliver(recent[which % recent.length]?.event);
  }

  #deliver(event: WatchEvent | undefined): void {
    if (event === undefined || event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') this.#sink.remove(event.object);
    else this.#sink.upsert(event.object);
  }

  #relist(continuity: 'kept' | 'lost'): void {
    this.#sink.replace(this.objects, String(this.#revision), continuity);
  }
}
