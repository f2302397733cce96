import { list, record, text } from '../../kubernetes/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { apiVersion } from '../../kubernetes/resources.ts';
import { trim } from '../../kubernetes/trim.ts';
import type { Credentials } from '../credentials.ts';
import type { AccessAttributes, Caller, DeletedObject, Identity, WatchTarget } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import { authHeaders } from './auth.ts';
import type { HttpRequest, KasHttp } from './http.ts';
import { resourceUrl, urlOf } from './paths.ts';
import { describe } from './wording.ts';

/** Single requests through KAS with one viewer's credentials. Nothing is ever tried twice. */
export class KasCaller implements Caller {
  readonly #base: URL;
  readonly #http: KasHttp;
  readonly #agentId: string;
  readonly #credentials: Credentials;

  constructor(base: URL, http: KasHttp, agentId: string, credentials: Credentials) {
    this.#base = base;
    this.#http = http;
    this.#agentId = agentId;
    this.#credentials = credentials;
  }

  async get(target: WatchTarget, name: string): Promise<KubernetesObject> {
    const { resource } = target;
    const body = await this.#call({
      url: resourceUrl(this.#base, target, name),
      what: describe('get', target, name),
    });
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
      await this.#call({
        method: 'DELETE',
        url: resourceUrl(this.#base, target, name),
        ...(uid !== undefined && { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } } }),
        what: describe('delete', target, name),
      }),
    );
    // The object itself while it is still terminating; a Status that names it when it is gone already.
    const deleted = record(body['kind'] === 'Status' ? body['details'] : body['metadata']);
    return { uid: text(deleted['uid']), name: text(deleted['name']) || name };
  }

  async review({ version: _, ...attributes }: AccessAttributes): Promise<{ allowed: boolean }> {
    const body = await this.#call({
      method: 'POST',
      url: urlOf(this.#base, ['apis', 'authorization.k8s.io', 'v1', 'selfsubjectaccessreviews']),
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        // JSON leaves out what is undefined; an absent namespace means all of them.
        spec: { resourceAttributes: attributes },
      },
      what: 'ask for your rights',
    });
    const { allowed } = record(record(body)['status']);
    if (typeof allowed !== 'boolean')
      throw new UpstreamError('malformed', 'The access review was answered without a result.');
    return { allowed };
  }

  async mayList({ group, version = 'v1', resource: plural, namespace }: AccessAttributes): Promise<boolean> {
    const resource = { group, version, plural, kind: '', field: '', namespaced: namespace !== undefined };
    const target = { agentId: this.#agentId, namespace, resource };
    try {
      // No resourceVersion: with one, the API server's cache would ignore the limit and return everything.
      await this.#call({
        url: resourceUrl(this.#base, target, undefined, { limit: '1' }),
        what: describe('list', target),
      });
      return true;
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'forbidden') return false;
      throw error;
    }
  }

  async whoAmI(): Promise<Identity> {
    const body = await this.#call({
      method: 'POST',
      url: urlOf(this.#base, ['apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews']),
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      what: 'ask who you are',
    });
    const { username, groups } = record(record(record(body)['status'])['userInfo']);
    return { username: text(username), groups: list(groups).map(text) };
  }

  #call(request: Omit<HttpRequest, 'headers'>): Promise<unknown> {
    return this.#http.call({ ...request, headers: authHeaders(this.#credentials, this.#agentId) });
  }
}
