import { json } from 'node:stream/consumers';
import { grantObjects } from '../../../demo/apiserver/grants.ts';
import { text, type JsonObject } from '../../../demo/apiserver/json.ts';
import type { ApiObject, NewObject } from '../../../demo/apiserver/object.ts';
import { ResourceCatalogue, type ApiResource } from '../../../demo/apiserver/resources.ts';
import type { RealApiServer } from '../../apiserver/real-apiserver.ts';
import { impersonation } from '../../apiserver/remote-cluster.ts';
import { resourcePath } from '../../apiserver/resource-path.ts';
import { pause } from '../../support/eventually.ts';
import { versionsOf } from '../../support/recorded-view.ts';
import { withoutStatus, type TestCluster } from './upstream.ts';

/** Writes on their way at once. */
const PARALLEL = 32;

interface List {
  readonly items: readonly ApiObject[];
}

/** A right, as SelfSubjectAccessReview asks for it. */
interface Right {
  readonly namespace: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** A real API server, changed through its own API by its administrator. */
export class RealCluster implements TestCluster {
  readonly #server: RealApiServer;
  readonly #catalogue = new ResourceCatalogue();
  /** By user: one right of each grant. */
  readonly #granted = new Map<string, { readonly paths: readonly string[]; readonly right: Right }[]>();

  constructor(server: RealApiServer) {
    this.#server = server;
  }

  async create(object: NewObject): Promise<ApiObject> {
    const resource = this.#catalogue.forKind(object.apiVersion, object.kind);
    if (resource === undefined) throw new Error(`unknown kind ${object.apiVersion} ${object.kind}`);
    const namespace = text(object.metadata['namespace']);
    const created = await this.#post(resourcePath(resource, namespace), object, namespace);
    if (object.status === undefined || !resource.subresources.includes('status')) return created;
    const path = `${resourcePath(resource, namespace, created.metadata.name)}/status`;
    return this.#patch(path, { status: object.status });
  }

  async createAll(objects: readonly NewObject[]): Promise<void> {
    const left = [...objects];
    const worker = async () => {
      for (let object = left.pop(); object !== undefined; object = left.pop()) await this.create(withoutStatus(object));
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  patch(resource: string, namespace: string, name: string, change: JsonObject): Promise<ApiObject> {
    return this.#patch(resourcePath(this.#catalogue.require(resource), namespace, name), change);
  }

  async delete(resource: string, namespace: string, name: string): Promise<string> {
    const path = resourcePath(this.#catalogue.require(resource), namespace, name);
    const { metadata } = (await this.#server.call({ path })) as ApiObject;
    await this.#server.call({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } });
    return metadata.uid;
  }

  async versions(resource: string, namespace: string): Promise<Record<string, string>> {
    const path = resourcePath(this.#catalogue.require(resource), namespace);
    const { items } = (await this.#server.call({ path })) as List;
    return versionsOf(items);
  }

  async grant(user: string, namespace: string, verbs: readonly string[], resources: readonly string[]): Promise<void> {
    const objects = Object.values(grantObjects(user, namespace, verbs, resources));
    const paths = objects.map((object) => {
      const resource = this.#catalogue.forKind(object.apiVersion, object.kind);
      if (resource === undefined) throw new Error(`unknown kind ${object.kind}`);
      return resourcePath(resource, namespace, object.metadata.name);
    });
    for (const object of objects) await this.create(object);
    const [, plural = '', group = '*'] = /^([^.]*)(?:\.(.*))?$/.exec(resources[0] ?? '') ?? [];
    const right = { namespace, verb: verbs[0] ?? '', group, resource: plural };
    this.#granted.set(user, [...(this.#granted.get(user) ?? []), { paths, right }]);
    await this.#until(user, right, true);
  }

  async revoke(user: string): Promise<void> {
    const grants = this.#granted.get(user) ?? [];
    this.#granted.delete(user);
    for (const { paths } of grants) for (const path of paths) await this.#server.call({ method: 'DELETE', path });
    for (const { right } of grants) await this.#until(user, right, false);
  }

  async compact(): Promise<void> {
    await this.#server.compact();
  }

  /** The watch caches of an API server that has just started reach back no further than its start. */
  async forgetHistory(): Promise<void> {
    await this.#server.compact();
    await this.restart();
  }

  async restart(): Promise<void> {
    await this.#server.crash();
    await this.#server.up();
  }

  backUp(): Promise<() => Promise<void>> {
    return this.#server.backUp();
  }

  /** Takes away what a trial has left. */
  async empty(): Promise<void> {
    for (const user of this.#granted.keys()) await this.revoke(user);
    const { items } = (await this.#server.call({ path: '/api/v1/namespaces' })) as List;
    const namespaces = items.map(({ metadata }) => metadata.name).filter((name) => !name.startsWith('kube-'));
    const resources = this.#catalogue.all().filter(({ namespaced }) => namespaced);
    for (const namespace of namespaces) for (const resource of resources) await this.#deleteAll(resource, namespace);
  }

  async #deleteAll(resource: ApiResource, namespace: string): Promise<void> {
    const path = resourcePath(resource, namespace);
    const isEmpty = async () => ((await this.#server.call({ path: `${path}?limit=1` })) as List).items.length === 0;
    // In parts: the server gives up on a request after a minute.
    while (!(await isEmpty())) {
      await this.#server.call({ method: 'DELETE', path: `${path}?limit=500&gracePeriodSeconds=0` });
    }
  }

  /** The namespace is made, if there is none yet. */
  async #post(path: string, object: NewObject, namespace: string): Promise<ApiObject> {
    const response = await this.#server.send({ method: 'POST', path, body: object });
    const body = (await json(response)) as ApiObject;
    if (response.statusCode === 201) return body;
    if (response.statusCode !== 404 || namespace === '') throw new Error(`${path}: ${JSON.stringify(body)}`);
    const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    (await this.#server.send({ method: 'POST', path: '/api/v1/namespaces', body: made })).resume();
    return (await this.#server.call({ method: 'POST', path, body: object })) as ApiObject;
  }

  async #patch(path: string, change: JsonObject): Promise<ApiObject> {
    const headers = { 'content-type': 'application/merge-patch+json' };
    return (await this.#server.call({ method: 'PATCH', path, body: change, headers })) as ApiObject;
  }

  /** Rights reach the API server's authorizer through a watch of its own, a moment after they were written. */
  async #until(user: string, right: Right, allowed: boolean): Promise<void> {
    const headers = impersonation({ name: user.includes(':') ? user : `gitlab:user:${user}`, groups: ['gitlab:user'] });
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: right },
    };
    for (;;) {
      const review = (await this.#server.call({ method: 'POST', path, body, headers })) as {
        status: { allowed: boolean };
      };
      if (review.status.allowed === allowed) return;
      await pause(5);
    }
  }
}
