import { integer, isRecord, record, text, type JsonRecord } from '../../kubernetes/json.ts';
import { checkName, checkNamespace } from '../../kubernetes/names.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { apiVersion } from '../../kubernetes/resources.ts';
import { trim } from '../../kubernetes/trim.ts';
import type { ActionCalls, Scale, ServiceRequest } from '../actions.ts';
import type { Credentials } from '../credentials.ts';
import type { LogHandle, LogListener, LogRequest, LogTarget } from '../logs/log-source.ts';
import type { WatchTarget } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import { authHeaders } from './auth.ts';
import type { HttpRequest, KasHttp } from './http.ts';
import { openKasLog } from './kas-logs.ts';
import { resourceUrl, urlOf } from './paths.ts';
import { describe } from './wording.ts';

const MERGE_PATCH = 'application/merge-patch+json';
/** YAML is asked for by name; JSON is YAML. */
const APPLY_PATCH = 'application/apply-patch+yaml';
/** Who the cluster writes down as having changed a field. */
const FIELD_MANAGER = 'kascade';
const PREVIEW_MANAGER = 'kascade-preview';

/** Changes, previews, logs and services through KAS, with one viewer's credentials. */
export class KasActions implements ActionCalls {
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

  async getWhole(target: WatchTarget, name: string): Promise<JsonRecord> {
    return object(
      await this.#call({ url: resourceUrl(this.#base, target, name), what: describe('get', target, name) }),
    );
  }

  async patch(target: WatchTarget, name: string, patch: JsonRecord): Promise<KubernetesObject> {
    const body = await this.#call(
      {
        method: 'PATCH',
        url: resourceUrl(this.#base, target, name, { fieldManager: FIELD_MANAGER }),
        body: patch,
        what: describe('patch', target, name),
      },
      MERGE_PATCH,
    );
    const { resource } = target;
    try {
      return trim(body, { apiVersion: apiVersion(resource), kind: resource.kind });
    } catch (cause) {
      throw new UpstreamError('malformed', 'The answer was not an object.', { cause });
    }
  }

  async getScale(target: WatchTarget, name: string): Promise<Scale> {
    const what = describe('get the scale of', target, name);
    return scaleOf(await this.#call({ url: scaleUrl(this.#base, target, name), what }));
  }

  async scale(
    target: WatchTarget,
    name: string,
    replicas: number,
    resourceVersion: string | undefined,
  ): Promise<Scale> {
    const url = scaleUrl(this.#base, target, name);
    url.searchParams.set('fieldManager', FIELD_MANAGER);
    // JSON leaves out what is undefined.
    const body = { metadata: { resourceVersion }, spec: { replicas } };
    return scaleOf(
      await this.#call({ method: 'PATCH', url, body, what: describe('scale', target, name) }, MERGE_PATCH),
    );
  }

  async applyDryRun(target: WatchTarget, name: string, manifest: JsonRecord): Promise<JsonRecord> {
    const query = { dryRun: 'All', fieldManager: PREVIEW_MANAGER, force: 'true' };
    const url = resourceUrl(this.#base, target, name, query);
    const what = `${describe('apply', target, name)} as a dry run`;
    return object(await this.#call({ method: 'PATCH', url, body: manifest, what }, APPLY_PATCH));
  }

  serviceGet({ service, path, query }: ServiceRequest): Promise<unknown> {
    const { namespace, name, port } = service;
    const address = `${checkName(name)}:${checkName(port)}`;
    const segments = ['api', 'v1', 'namespaces', checkNamespace(namespace), 'services', address, 'proxy', ...path];
    return this.#call({
      url: urlOf(this.#base, segments, query),
      what: `get services/proxy "${address}" in namespace "${namespace}"`,
    });
  }

  openLog(target: LogTarget, request: LogRequest, listener: LogListener): LogHandle {
    return openKasLog(this.#base, this.#http, this.#credentials, { target, request, listener });
  }

  #call(request: Omit<HttpRequest, 'headers'>, contentType?: string): Promise<unknown> {
    const headers = authHeaders(this.#credentials, this.#agentId);
    return this.#http.call({
      ...request,
      headers: contentType === undefined ? headers : { ...headers, 'content-type': contentType },
    });
  }
}

function scaleUrl(base: URL, target: WatchTarget, name: string): URL {
  const whole = resourceUrl(base, target, name);
  whole.pathname = `${whole.pathname}/scale`;
  return whole;
}

function scaleOf(body: unknown): Scale {
  const { metadata, spec } = object(body);
  const { uid, resourceVersion } = record(metadata);
  return { uid: text(uid), resourceVersion: text(resourceVersion), replicas: integer(record(spec)['replicas']) };
}

function object(body: unknown): JsonRecord {
  if (isRecord(body)) return body;
  throw new UpstreamError('malformed', 'The answer was not an object.');
}
