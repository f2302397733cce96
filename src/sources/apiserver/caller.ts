import { apiGroups, apiResources, serverVersion, type ApiGroup, type ApiResource } from '../../kubernetes/discovery.ts';
import { list, record, text } from '../../kubernetes/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { apiVersion } from '../../kubernetes/resources.ts';
import { tableOf, type Table } from '../../kubernetes/table.ts';
import { trim } from '../../kubernetes/trim.ts';
import type { AccessAttributes, Caller, DeletedObject, Identity, TableOptions, WatchTarget } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import { ApiActions } from './actions.ts';
import type { ApiClient } from './client.ts';
import { groupVersionPath, resourcePath } from './paths.ts';
import { describe } from './wording.ts';

/** The same as kubectl: a server that cannot print a kind answers with a list of it. */
const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
/** Rows of one page. */
const TABLE_PAGE = '500';

/** Single requests to one agent's cluster with one viewer's credentials. What may have been done is never tried twice. */
export class ApiCaller implements Caller {
  readonly actions: ApiActions;
  readonly #client: ApiClient;
  readonly #agentId: string;

  constructor(client: ApiClient, agentId: string) {
    this.#client = client;
    this.#agentId = agentId;
    this.actions = new ApiActions(client);
  }

  async get(target: WatchTarget, name: string): Promise<KubernetesObject> {
    const { resource } = target;
    const body = await this.#client.call({ path: resourcePath(target, name), what: describe('get', target, name) });
    try {
      return trim(body, { apiVersion: apiVersion(resource), kind: resource.kind });
    } catch (cause) {
      throw new UpstreamError('malformed', 'The answer was not an object.', { cause });
    }
  }

  async delete(
    target: WatchTarget,
    name: string,
    { uid }: { readonly uid?: string | undefined },
  ): Promise<DeletedObject> {
    const body = record(
      await this.#client.call({
        method: 'DELETE',
        path: resourcePath(target, name),
        ...(uid !== undefined && { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } } }),
        what: describe('delete', target, name),
      }),
    );
    // The object itself while it is still terminating; a Status that names it when it is gone already.
    const deleted = record(body['kind'] === 'Status' ? body['details'] : body['metadata']);
    return { uid: text(deleted['uid']), name: text(deleted['name']) || name };
  }

  async review(question: AccessAttributes): Promise<{ allowed: boolean }> {
    const body = await this.#client.call({
      method: 'POST',
      path: { segments: ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews'] },
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        // JSON leaves out what is undefined; an absent namespace means all of them.
        spec: { resourceAttributes: { ...question, version: undefined } },
      },
      what: 'ask for your rights',
    });
    const { allowed } = record(record(body)['status']);
    if (typeof allowed !== 'boolean')
      throw new UpstreamError('malformed', 'The access review was answered without a result.');
    if (allowed) this.#client.granted();
    else await this.#client.denied();
    return { allowed };
  }

  async mayList({ group, version = 'v1', resource: plural, namespace }: AccessAttributes): Promise<boolean> {
    const resource = { group, version, plural, kind: '', field: '', namespaced: namespace !== undefined };
    const target = { agentId: this.#agentId, namespace, resource };
    try {
      // No resourceVersion: with one, the API server's cache would ignore the limit and return everything.
      await this.#client.call({
        path: resourcePath(target, undefined, { limit: '1' }),
        what: describe('list', target),
      });
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'forbidden') return false;
      throw error;
    }
  }

  async whoAmI(): Promise<Identity> {
    const body = await this.#client.call({
      method: 'POST',
      path: { segments: ['apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews'] },
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      what: 'ask who you are',
    });
    const { username, groups } = record(record(record(body)['status'])['userInfo']);
    return { username: text(username), groups: list(groups).map(text) };
  }

  async serverVersion(): Promise<string | undefined> {
    const what = "read the cluster's version";
    return serverVersion(await this.#client.call({ path: { segments: ['version'] }, what }));
  }

  async apiGroups(): Promise<readonly ApiGroup[]> {
    const body = await this.#client.call({ path: { segments: ['apis'] }, what: 'list the API groups' });
    return understood(apiGroups(body), 'The answer was not a list of API groups.');
  }

  async apiResources(group: string, version: string): Promise<readonly ApiResource[]> {
    const body = await this.#client.call({
      path: groupVersionPath(group, version),
      what: `list the resources of ${apiVersion({ group, version })}`,
    });
    return understood(apiResources(body), 'The answer was not a list of API resources.');
  }

  async table(target: WatchTarget, { withObjects, continueToken }: TableOptions): Promise<Table> {
    const { resource } = target;
    const query = {
      includeObject: withObjects ? 'Object' : 'Metadata',
      limit: TABLE_PAGE,
      continue: continueToken,
    };
    const body = await this.#client.call({
      path: resourcePath(target, undefined, query),
      headers: { accept: AS_TABLE },
      what: describe('list', target),
    });
    const table = tableOf(body, { apiVersion: apiVersion(resource), kind: resource.kind });
    return understood(table, 'The answer was neither a table nor a list.');
  }
}

function understood<T>(answer: T | undefined, otherwise: string): T {
  if (answer === undefined) throw new UpstreamError('malformed', otherwise);
  return answer;
}
