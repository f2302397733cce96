import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../src/clock.ts';
import { deepEqual, deepFreeze, isObject, text, type Json, type JsonObject } from './json.ts';
import { ChangeLog, type Change, type ChangeType, type Snapshot } from './log.ts';
import { managedFields } from './managed-fields.ts';
import type { ApiObject, NewObject } from './object.ts';
import { mergePatch } from './patch.ts';
import { resourceKey, type ApiResource, type ResourceCatalogue } from './resources.ts';
import { FIRST_REVISION } from './revision.ts';
import { alreadyExists, ApiError, conflict, invalidField, notFound } from './status.ts';

export interface StoreOptions {
  clock?: Clock | undefined;
  /** How many changes to remember; all by default, because a test's oracle reads them. */
  historyLimit?: number | undefined;
}

export interface DeleteOptions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  /** 0, the default here, deletes at once; more only marks the object, as the API server does with pods. */
  gracePeriodSeconds?: number | undefined;
}

/**
 * The cluster's objects and their whole history. Tests write with `create`, `update`, `patch` and `delete`, exactly as
 * the HTTP side does; watchers hear of a change before the call returns. Objects are immutable.
 */
export class Store {
  /** Histories of before each `rewind`, for the oracle. */
  readonly pastHistories: (readonly Change[])[] = [];
  readonly resources: ResourceCatalogue;
  readonly clock: Clock;
  readonly #historyLimit: number | undefined;
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();
  readonly #rewindListeners = new Set<() => void>();
  #log: ChangeLog;
  #compacted = 0n;

  constructor(resources: ResourceCatalogue, options: StoreOptions = {}) {
    this.resources = resources;
    this.clock = options.clock ?? systemClock;
    this.#historyLimit = options.historyLimit;
    this.#log = new ChangeLog(FIRST_REVISION, this.#historyLimit);
  }

  /** The newest resourceVersion. */
  get revision(): string {
    return this.#log.revision.toString();
  }

  get history(): readonly Change[] {
    return this.#log.history;
  }

  /** Watches and exact lists from before this revision answer 410. */
  get compacted(): bigint {
    return this.#compacted > this.#log.start ? this.#compacted : this.#log.start;
  }

  /** For a cluster-scoped resource the namespace does not matter. */
  get(resourceName: string, namespace: string, name: string): ApiObject | undefined {
    const resource = this.resources.require(resourceName);
    return this.#log.get(resourceKey(resource), resource.namespaced ? namespace : '', name);
  }

  list(resource: string, namespace = ''): ApiObject[] {
    return this.#log.present.list(this.#key(resource), namespace);
  }

  /** The state at a revision, also one that is compacted for clients. */
  at(revision: string | bigint): Snapshot {
    return this.#log.at(BigInt(revision));
  }

  since(resource: string, revision: bigint): Change[] {
    return this.#log.since(this.#key(resource), revision);
  }

  /** Calls `listener` synchronously with every change of one resource; returns the way to stop. */
  subscribe(resource: string, listener: (change: Change) => void): () => void {
    const key = this.#key(resource);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  onRewind(listener: () => void): void {
    this.#rewindListeners.add(listener);
  }

  /** Writes a new object; a namespace that does not exist yet is created with it. */
  create(input: NewObject | ApiObject): ApiObject {
    const resource = this.#resourceOf(input);
    const object = this.prepare(resource, input);
    const { namespace = '', name } = object.metadata;
    if (this.get(resourceKey(resource), namespace, name)) throw new ApiError(alreadyExists(resource, name));
    if (resource.namespaced && !this.get('namespaces', '', namespace)) {
      this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, status: { phase: 'Active' } });
    }
    return this.#commit(resource, 'ADDED', object, undefined);
  }

  /** What `create` would write, apart from its resourceVersion. */
  prepare(resource: ApiResource, input: NewObject | ApiObject): ApiObject {
    const { generateName, ...given } = input.metadata;
    const name = given['name'] ?? (typeof generateName === 'string' ? generateName + this.#suffix() : undefined);
    if (typeof name !== 'string') {
      const why = 'Required value: name or generateName is required';
      const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
      throw new ApiError(invalidField(kind, '', 'metadata.name', 'FieldValueRequired', why));
    }
    const creationTimestamp = this.timestamp();
    const namespace = resource.namespaced ? { namespace: text(given['namespace']) || 'default' } : {};
    const generation = hasGeneration(resource) && input.spec !== undefined ? { generation: 1 } : {};
    const metadata: JsonObject = { ...given, name, ...namespace, uid: this.newUid(), creationTimestamp, ...generation };
    metadata['managedFields'] ??= managedFields(input, input.apiVersion, creationTimestamp);
    // A new pod is Pending before anybody has looked at it.
    const isPod = resourceKey(resource) === 'pods';
    const status = isPod ? { status: { phase: 'Pending', ...input.status } } : {};
    return { ...input, ...status, metadata: { ...metadata, resourceVersion: '' } } as ApiObject;
  }

  /** Replaces an object. With a resourceVersion in its metadata, only that version of it (else 409). */
  update(input: NewObject | ApiObject): ApiObject {
    const resource = this.#resourceOf(input);
    const { namespace, name, resourceVersion, uid } = input.metadata;
    const current = this.require(resource, text(namespace), text(name));
    if (
      resourceVersion !== undefined &&
      resourceVersion !== '' &&
      resourceVersion !== current.metadata.resourceVersion
    ) {
      throw new ApiError(conflict(resource, current.metadata.name));
    }
    if (uid !== undefined && uid !== current.metadata.uid) {
      const why = `Invalid value: "${text(uid)}": field is immutable`;
      const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
      throw new ApiError(invalidField(kind, current.metadata.name, 'metadata.uid', 'FieldValueInvalid', why));
    }
    const next = this.merge(current, input);
    if (deepEqual(current, next)) return current;
    if (next.metadata.deletionTimestamp !== undefined && isFinished(next)) {
      return this.#commit(resource, 'DELETED', next, current);
    }
    return this.#commit(resource, 'MODIFIED', next, current);
  }

  /** What `update` would write: the server's own fields stay, a changed spec is a new generation. */
  merge(current: ApiObject, input: NewObject | ApiObject): ApiObject {
    const { uid, creationTimestamp, resourceVersion, generation, deletionTimestamp } = current.metadata;
    const changed = generation !== undefined && !deepEqual(current.spec, input.spec);
    const own: JsonObject = { uid, creationTimestamp, resourceVersion };
    if (generation !== undefined) own['generation'] = changed ? generation + 1 : generation;
    if (deletionTimestamp !== undefined) own['deletionTimestamp'] = deletionTimestamp;
    const kept = current.metadata['managedFields'];
    return {
      ...input,
      metadata: { ...input.metadata, ...own, ...(kept === undefined ? {} : { managedFields: kept }) },
    } as ApiObject;
  }

  /** A JSON merge patch; parts it does not name stay as they are. */
  patch(resource: string, namespace: string, name: string, change: JsonObject): ApiObject {
    const current = this.require(this.resources.require(resource), namespace, name);
    return this.update(mergePatch(current, change) as ApiObject);
  }

  /** Deletes an object, or marks it when it has finalizers or a grace period. Answers its last state. */
  delete(resourceName: string, namespace: string, name: string, options: DeleteOptions = {}): ApiObject {
    const resource = this.resources.require(resourceName);
    const current = this.require(resource, namespace, name);
    checkPreconditions(resource, current, options);
    const grace = options.gracePeriodSeconds ?? 0;
    if (grace === 0 && (current.metadata.finalizers ?? []).length === 0) {
      if (resource.plural === 'namespaces') this.#empty(name);
      return this.#commit(resource, 'DELETED', current, current);
    }
    if (current.metadata.deletionTimestamp !== undefined) return current;
    const deletionTimestamp = new Date(this.clock.now() + grace * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    const metadata = { ...current.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
    return this.#commit(resource, 'MODIFIED', { ...current, metadata }, current);
  }

  /** Forgets the past for clients: older watches, exact lists and continue tokens answer 410. */
  compact(revision: string = this.revision): void {
    this.#compacted = BigInt(revision);
  }

  /** Other resources were written: the counter moves, nobody here sees an event. */
  advance(by = 1): string {
    return this.#log.advance(BigInt(by)).toString();
  }

  /**
   * The etcd behind was restored from a backup (or another cluster took its place): resourceVersions go backwards,
   * every object has a new uid, all watches break. Without a revision the objects stay and only the counter jumps back.
   */
  rewind(revision: string = (this.#log.revision - 1_000n).toString()): void {
    const target = BigInt(revision);
    const state = target >= this.#log.start ? this.#log.at(target) : this.#log.present;
    const keys = this.resources.all().map(resourceKey);
    this.pastHistories.push(this.#log.history);
    this.#log = new ChangeLog(target, this.#historyLimit);
    this.#compacted = target;
    for (const listener of this.#rewindListeners) listener();
    for (const key of keys) {
      const resource = this.resources.require(key);
      for (const object of state.list(key)) {
        this.#commit(resource, 'ADDED', { ...object, metadata: { ...object.metadata, uid: this.newUid() } }, undefined);
      }
    }
    this.compact();
  }

  require(resource: ApiResource, namespace: string, name: string): ApiObject {
    const object = this.get(resourceKey(resource), namespace, name);
    if (!object) throw new ApiError(notFound(resource, name));
    return object;
  }

  timestamp(): string {
    return new Date(this.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  /** From the clock's own dice, so that a seeded run repeats its uids too. */
  newUid(): string {
    if (this.clock === systemClock) return randomUUID();
    const hex = Array.from({ length: 32 }, () => Math.floor(this.clock.random() * 16).toString(16)).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #suffix(): string {
    const letters = 'bcdfghjklmnpqrstvwxz2456789';
    return Array.from({ length: 5 }, () => letters[Math.floor(this.clock.random() * letters.length)]).join('');
  }

  #commit(resource: ApiResource, type: ChangeType, object: ApiObject, previous: ApiObject | undefined): ApiObject {
    const revision = this.#log.revision + 1n;
    const written = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: revision.toString() } });
    const change: Change = { revision, type, resource: resourceKey(resource), object: written, previous };
    this.#log.append(change);
    for (const listener of this.#listeners.get(change.resource) ?? []) listener(change);
    return written;
  }

  #empty(namespace: string): void {
    for (const resource of this.resources.all()) {
      if (!resource.namespaced) continue;
      for (const object of this.list(resourceKey(resource), namespace)) {
        this.delete(resourceKey(resource), namespace, object.metadata.name);
      }
    }
  }

  #key(resource: string): string {
    return resourceKey(this.resources.require(resource));
  }

  #resourceOf(input: NewObject): ApiResource {
    const resource = this.resources.forKind(input.apiVersion, input.kind);
    if (!resource) throw new Error(`no resource is registered for ${input.apiVersion} ${input.kind}`);
    return resource;
  }
}

/** Of the core kinds, only pods count the changes of their spec. */
function hasGeneration(resource: ApiResource): boolean {
  return resource.group !== '' || resource.plural === 'pods';
}

/** Marked for deletion, and nobody holds it back any more. */
function isFinished(object: ApiObject): boolean {
  const grace = object.metadata['deletionGracePeriodSeconds'];
  return (object.metadata.finalizers ?? []).length === 0 && (grace === undefined || grace === 0);
}

function checkPreconditions(resource: ApiResource, current: ApiObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = current.metadata;
  const check = (what: string, wanted: string | undefined, actual: string, meaning: string) => {
    if (wanted === undefined || wanted === actual) return;
    const why = `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual}). The object might have been ${meaning}`;
    // Here, and only here, the kind stands in the place of the resource.
    throw new ApiError(conflict({ ...resource, plural: resource.kind }, current.metadata.name, why));
  };
  check('UID', options.uid, uid, 'deleted and then recreated');
  check('ResourceVersion', options.resourceVersion, resourceVersion, 'modified');
}

export function isNewObject(value: Json | undefined): value is NewObject {
  return (
    isObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isObject(value['metadata'])
  );
}
