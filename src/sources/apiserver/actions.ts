import { integer, isRecord, record, text, type JsonRecord } from '../../kubernetes/json.ts';
import { checkName, checkNamespace } from '../../kubernetes/names.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { apiVersion } from '../../kubernetes/resources.ts';
import { trim } from '../../kubernetes/trim.ts';
import type { ActionCalls, Scale, ServiceRequest } from '../actions.ts';
import type { LogHandle, LogListener, LogRequest, LogTarget } from '../logs/log-source.ts';
import type { WatchTarget } from '../source.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { ApiClient } from './client.ts';
import { openApiLog } from './logs.ts';
import { resourcePath } from './paths.ts';
import { describe } from './wording.ts';

const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };
/** YAML is asked for by name; JSON is YAML. */
const APPLY_PATCH = { 'content-type': 'application/apply-patch+yaml' };
/** Who the cluster writes down as having changed a field. */
const FIELD_MANAGER = 'kascade';
const PREVIEW_MANAGER = 'kascade-preview';

/** Changes, previews, logs and services of one cluster, with one viewer's credentials. */
export class ApiActions implements ActionCalls {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async getWhole(target: WatchTarget, name: string): Promise<JsonRecord> {
    const what = describe('get', target, name);
    return object(await this.#client.call({ path: resourcePath(target, name), what }));
  }

  async patch(target: WatchTarget, name: string, patch: JsonRecord): Promise<KubernetesObject> {
    const body = await this.#client.call({
      method: 'PATCH',
      path: resourcePath(target, name, { fieldManager: FIELD_MANAGER }),
      headers: MERGE_PATCH,
      body: patch,
      what: describe('patch', target, name),
    });
    const { resource } = target;
    try {
      return trim(body, { apiVersion: apiVersion(resource), kind: resource.kind });
    } catch (cause) {
      throw new UpstreamError('malformed', 'The answer was not an object.', { cause });
    }
  }

  async getScale(target: WatchTarget, name: string): Promise<Scale> {
    const what = describe('get the scale of', target, name);
    return scaleOf(await this.#client.call({ path: resourcePath(target, name, {}, 'scale'), what }));
  }

  async scale(
    target: WatchTarget,
    name: string,
    replicas: number,
    resourceVersion: string | undefined,
  ): Promise<Scale> {
    const path = resourcePath(target, name, { fieldManager: FIELD_MANAGER }, 'scale');
    // JSON leaves out what is undefined.
    const body = { metadata: { resourceVersion }, spec: { replicas } };
    const what = describe('scale', target, name);
    return scaleOf(await this.#client.call({ method: 'PATCH', path, headers: MERGE_PATCH, body, what }));
  }

  async applyDryRun(target: WatchTarget, name: string, manifest: JsonRecord): Promise<JsonRecord> {
    const query = { dryRun: 'All', fieldManager: PREVIEW_MANAGER, force: 'true' };
    const path = resourcePath(target, name, query);
    const what = `${describe('apply', target, name)} as a dry run`;
    return object(await this.#client.call({ method: 'PATCH', path, headers: APPLY_PATCH, body: manifest, what }));
  }

  serviceGet({ service, path, query }: ServiceRequest): Promise<unknown> {
    const { namespace, name, port } = service;
    const address = `${checkName(name)}:${checkName(port)}`;
    const segments = ['api', 'v1', 'namespaces', checkNamespace(namespace), 'services', address, 'proxy', ...path];
    return this.#client.call({
      path: { segments, query },
      what: `get services/proxy "${address}" in namespace "${namespace}"`,
    });
  }

  openLog(target: LogTarget, request: LogRequest, listener: LogListener): LogHandle {
    return openApiLog(this.#client, { target, request, listener });
  }
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
