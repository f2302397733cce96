import type { ApiObject } from './object.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write, as the history keeps it. */
export interface Change {
  readonly revision: bigint;
  readonly type: ChangeType;
  /** The collection's key: `pods`, `deployments.apps`. */
  readonly resource: string;
  /** The object after the write; for DELETED its last state, carrying the deletion's resourceVersion. */
  readonly object: ApiObject;
  readonly previous?: ApiObject | undefined;
}

type Collection = ReadonlyMap<string, ApiObject>;

/** The cluster's state at one revision. */
export class Snapshot {
  readonly revision: bigint;
  readonly #collections: ReadonlyMap<string, Collection>;

  constructor(revision: bigint, collections: ReadonlyMap<string, Collection>) {
    this.revision = revision;
    this.#collections = collections;
  }

  /** Objects in etcd's order: by namespace, then by name. */
  list(resource: string, namespace = ''): ApiObject[] {
    const entries = [...(this.#collections.get(resource) ?? [])];
    const wanted = namespace === '' ? entries : entries.filter(([, object]) => object.metadata.namespace === namespace);
    return wanted.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }
}

export function objectKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/**
 * Everything that ever happened, in order (multi-version concurrency control). The present is a map, the past is the
 * present with the later changes undone.
 */
export class ChangeLog {
  readonly history: Change[] = [];
  readonly #collections = new Map<string, Map<string, ApiObject>>();
  readonly #limit: number;
  #start: bigint;
  #revision: bigint;

  constructor(revision: bigint, limit = Number.POSITIVE_INFINITY, baseline?: Snapshot, resources: string[] = []) {
    this.#revision = revision;
    this.#start = revision;
    this.#limit = limit;
    for (const resource of resources) {
      const collection = this.#collection(resource);
      for (const object of baseline?.list(resource) ?? []) {
        collection.set(objectKey(object.metadata.namespace ?? '', object.metadata.name), object);
      }
    }
  }

  get revision(): bigint {
    return this.#revision;
  }

  /** The oldest revision that can still be looked at. */
  get start(): bigint {
    return this.#start;
  }

  get present(): Snapshot {
    return new Snapshot(this.#revision, this.#collections);
  }

  get(resource: string, namespace: string, name: string): ApiObject | undefined {
    return this.#collections.get(resource)?.get(objectKey(namespace, name));
  }

  /** Moves the counter without a change, as writes to other resources do in a real cluster. */
  advance(by: bigint): bigint {
    this.#revision += by;
    return this.#revision;
  }

  append(change: Change): void {
    this.#revision = change.revision;
    const { namespace = '', name } = change.object.metadata;
    const collection = this.#collection(change.resource);
    if (change.type === 'DELETED') collection.delete(objectKey(namespace, name));
    else collection.set(objectKey(namespace, name), change.object);
    this.history.push(change);
    if (this.history.length > this.#limit * 1.25) this.#trim();
  }

  /** Changes of one resource after `revision`. */
  since(resource: string, revision: bigint): Change[] {
    return this.history.slice(this.#indexAfter(revision)).filter((change) => change.resource === resource);
  }

  at(revision: bigint): Snapshot {
    if (revision < this.#start) throw new RangeError(`revision ${revision} is older than the history`);
    const collections = new Map([...this.#collections].map(([key, objects]) => [key, new Map(objects)]));
    for (const change of this.history.slice(this.#indexAfter(revision)).toReversed()) {
      const { namespace = '', name } = change.object.metadata;
      const key = objectKey(namespace, name);
      if (change.previous) collections.get(change.resource)?.set(key, change.previous);
      else collections.get(change.resource)?.delete(key);
    }
    return new Snapshot(revision, collections);
  }

  #collection(resource: string): Map<string, ApiObject> {
    const collection = this.#collections.get(resource) ?? new Map<string, ApiObject>();
    this.#collections.set(resource, collection);
    return collection;
  }

  #indexAfter(revision: bigint): number {
    let low = 0;
    let high = this.history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.history[middle]?.revision ?? 0n) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #trim(): void {
    const removed = this.history.splice(0, this.history.length - this.#limit);
    this.#start = removed.at(-1)?.revision ?? this.#start;
  }
}
