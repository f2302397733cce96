import type { Attachment, Connection } from '../../access/gate.ts';
import { ApiError } from '../../errors.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectFilter, Update } from '../../pubsub/updates.ts';
import type { AccessAttributes, Identity } from '../../sources/source.ts';
import type { Door } from '../context.ts';
import { FakeClusters } from './fake-clusters.ts';
import { unchecked } from './unchecked.ts';

type Key = Parameters<Door['attach']>[1];
type SubscribeOptions = Parameters<Door['subscribe']>[2];

export const FRESH_AS_OF = Date.parse('2026-02-02T00:00:00Z');

/** A gate over an array of objects. It lets everyone in, and remembers what it was asked. */
export class FakeGate implements Door {
  objects: readonly KubernetesObject[];
  /** What subscriptions send before they end. */
  updates: readonly Update[] = [];
  /** Sent instead of `updates`, when set. */
  stream: AsyncIterableIterator<Update> | undefined;
  connections: readonly Connection[] = [];
  identity: Identity = { username: 'someone', groups: ['system:authenticated'] };
  /** Thrown by everything, when set. */
  failure: unknown;
  /** Rejects `ready()` of every feed, when set. */
  syncFailure: unknown;
  readonly calls: unknown[][] = [];
  /** Set by the tests that need them. */
  clusters: Door['clusters'] = unchecked(new FakeClusters(this));
  logs: Door['logs'] = unchecked(undefined);
  actions: Door['actions'] = unchecked(undefined);
  prometheus: Door['prometheus'] = unchecked(undefined);
  attached = 0;
  lastFilter: ObjectFilter | undefined;

  constructor(objects: readonly KubernetesObject[] = []) {
    this.objects = objects;
  }

  async attach(_viewer: unknown, key: Key): Promise<Attachment> {
    this.#record('attach', key.agentId, key.namespace, key.resource.field);
    this.attached += 1;
    const objects = this.#in(key);
    const feed = {
      key,
      size: objects.length,
      freshAsOf: FRESH_AS_OF,
      revision: { epoch: 'fake', offset: 0 },
      ready: async () => {
        if (this.syncFailure !== undefined) throw this.syncFailure;
      },
      objects: () => objects,
      get: (uid: string) => objects.find(({ metadata }) => metadata.uid === uid),
      find: (namespace: string | undefined, name: string) =>
        objects.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    };
    return { feed: unchecked(feed), catchUp, release: () => void (this.attached -= 1) };
  }

  async subscribe(_viewer: unknown, key: Key, options: SubscribeOptions): Promise<AsyncIterableIterator<Update>> {
    const { filter, resume, maxRate } = options;
    this.#record('subscribe', key.agentId, key.namespace, key.resource.field, filter?.key, resume, maxRate);
    this.lastFilter = filter;
    return this.stream ?? iterate(this.updates);
  }

  async get(_viewer: unknown, key: Key, name: string): Promise<KubernetesObject | undefined> {
    this.#record('get', key.agentId, key.namespace, key.resource.field, name);
    return this.#in(key).find(({ metadata }) => metadata.name === name);
  }

  async delete(
    viewer: unknown,
    key: Key & { namespace: string },
    name: string,
    { uid }: { uid?: string | undefined },
  ): Promise<{ uid: string; name: string; namespace: string }> {
    const found = await this.get(viewer, key, name);
    this.#record('delete', key.agentId, key.namespace, key.resource.field, name, uid);
    if (found === undefined) throw new ApiError('NOT_FOUND', `There is no pod ${name}.`);
    if (uid !== undefined && uid !== found.metadata.uid) throw new ApiError('CONFLICT', `${name} is another one now.`);
    return { uid: found.metadata.uid, name, namespace: key.namespace };
  }

  async connection(_viewer: unknown, agentId: string, namespace: string | undefined): Promise<Connection> {
    this.#record('connection', agentId, namespace);
    return this.connections[0] ?? idle(agentId, namespace);
  }

  async watchConnection(
    _viewer: unknown,
    agentId: string,
    namespace: string | undefined,
  ): Promise<AsyncIterableIterator<Connection>> {
    this.#record('watchConnection', agentId, namespace);
    return iterate(this.connections);
  }

  async reconnect(
    _viewer: unknown,
    agentId: string,
    namespace: string | undefined,
    field: string | undefined,
  ): Promise<Connection> {
    this.#record('reconnect', agentId, namespace, field);
    return this.connections[0] ?? idle(agentId, namespace);
  }

  async whoAmI(_viewer: unknown, agentId: string): Promise<Identity> {
    this.#record('whoAmI', agentId);
    return this.identity;
  }

  /** Lets everyone do what is to be read. */
  async can(_viewer: unknown, agentId: string, attributes: AccessAttributes): Promise<boolean> {
    this.#record('can', agentId, attributes);
    return ['get', 'list', 'watch'].includes(attributes.verb);
  }

  #record(...call: unknown[]): void {
    this.calls.push(call);
    if (this.failure !== undefined) throw this.failure;
  }

  #in({ namespace, resource }: Key): KubernetesObject[] {
    return this.objects.filter(
      ({ kind, metadata }) => kind === resource.kind && (namespace === undefined || metadata.namespace === namespace),
    );
  }
}

function idle(agentId: string, namespace: string | undefined): Connection {
  return { agentId, namespace, status: 'DISCONNECTED', reason: 'IDLE', resources: [] };
}

function iterate<Item>(items: readonly Item[]): AsyncIterableIterator<Item> {
  const iterator = items[Symbol.iterator]();
  return {
    next: () => Promise.resolve(iterator.next()),
    return: () => Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function catchUp(): Promise<void> {
  return Promise.resolve();
}
