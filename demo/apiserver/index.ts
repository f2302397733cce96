import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock, type Clock } from '../../src/clock.ts';
import { discover } from './discovery.ts';
import { type Effect } from './effects.ts';
import { Faults, type RequestMatch } from './faults.ts';
import { isObject, type Json } from './json.ts';
import { listBody, listPage } from './list.ts';
import type { OpenWatch } from './open-watch.ts';
import { PodLogs } from './pod-logs.ts';
import { answerPrometheus } from './prometheus.ts';
import { isAllowed, refusal, type User } from './rbac.ts';
import type { ApiRequest } from './request.ts';
import { ResourceCatalogue, resourceKey, type ApiResource } from './resources.ts';
import { Responder } from './responder.ts';
import { isReview, review } from './reviews.ts';
import { serialize } from './serialize.ts';
import {
  ApiError,
  badRequest,
  failure,
  forbidden,
  forbiddenPath,
  methodNotAllowed,
  noSuchResource,
  unsupportedMediaType,
} from './status.ts';
import { Store } from './store.ts';
import { tableBody, wantsTable } from './table.ts';
import { Watches } from './watches.ts';
import { create, patch, remove, scaleOf, update } from './writes.ts';

export interface ApiServerOptions {
  clock?: Clock | undefined;
  historyLimit?: number | undefined;
  /** Time between two bookmarks of a watch; a minute by default, as in Kubernetes. */
  bookmarkPeriodMs?: number | undefined;
  /** A watch without `timeoutSeconds` ends after once to twice this; 30 minutes by default. */
  minRequestTimeoutMs?: number | undefined;
  /** How long a list waits for a resourceVersion from the future; 3 s in Kubernetes, 50 ms here. */
  blockTimeoutMs?: number | undefined;
  /** Unsent bytes at which a slow watcher is dropped. */
  slowWatcherBytes?: number | undefined;
  /** From a pod's graceful deletion to its end. */
  terminationMs?: number | undefined;
}

/** A Kubernetes API server: its store, its faults, and the answers it gives. It listens nowhere itself. */
export class ApiServer {
  readonly resources = new ResourceCatalogue();
  readonly store: Store;
  readonly faults: Faults & { openWatches(match?: RequestMatch): OpenWatch[] };
  readonly logs: PodLogs;
  readonly #watches: Watches;
  readonly #blockTimeoutMs: number;
  readonly #stopTerminating: () => void;

  constructor(options: ApiServerOptions = {}) {
    const clock = options.clock ?? systemClock;
    this.store = new Store(this.resources, { clock, historyLimit: options.historyLimit });
    this.#blockTimeoutMs = options.blockTimeoutMs ?? 50;
    const watches = new Watches(this.store, {
      bookmarkPeriodMs: options.bookmarkPeriodMs ?? 60_000,
      minRequestTimeoutMs: options.minRequestTimeoutMs ?? 1_800_000,
      slowWatcherBytes: options.slowWatcherBytes ?? 256 * 1024 * 1024,
    });
    this.#watches = watches;
    this.faults = Object.assign(new Faults(), { openWatches: (match?: RequestMatch) => watches.find(match) });
    this.logs = new PodLogs(this.store);
    this.#stopTerminating = finishTerminations(this.store, options.terminationMs ?? 50);
    for (const name of ['default', 'kube-system']) {
      this.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } });
    }
  }

  /** Answers one request that KAS (or a listener) has authenticated. */
  async handle(request: ApiRequest, user: User, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const effect = this.faults.strike(request, user.name);
    const out = new Responder(response, effect);
    if (effect.blackHole) return;
    if (effect.reset) {
      out.reset();
      return;
    }
    try {
      if (effect.respond) answer(effect.respond, out);
      else await this.#answer(request, user, incoming, out, effect);
    } catch (error) {
      if (error instanceof ApiError) out.status(error.status);
      else out.status(failure(500, 'InternalError', `Internal error occurred: ${String(error)}`));
    }
  }

  /** Watches end, timers stop. */
  close(): void {
    this.#stopTerminating();
    for (const watch of this.#watches.find()) watch.reset();
  }

  async #answer(
    request: ApiRequest,
    user: User,
    incoming: IncomingMessage,
    out: Responder,
    effect: Effect,
  ): Promise<void> {
    if (!request.isResource) {
      this.#answerPath(request, user, out);
      return;
    }
    if (isReview(request)) {
      const body = await readBody(incoming);
      out.json(review(this.store, user, request, isObject(body) ? body : {}), 201);
      return;
    }
    if (!isAllowed(this.store, user, { ...request, group: request.group })) {
      const name = { group: request.group, plural: request.resource };
      throw new ApiError(forbidden(name, request.name, refusal(user, request)));
    }
    const resource = this.resources.find(request.group, request.version, request.resource);
    if (!resource || (request.subresource !== '' && !resource.subresources.includes(request.subresource))) {
      this.#notServed(request, out);
      return;
    }
    await this.#serve(resource, request, user, incoming, out, effect);
  }

  /** Only groups that are served have a voice of their own to say so. */
  #notServed({ group }: ApiRequest, out: Responder): void {
    if (this.resources.all().some((resource) => resource.group === group)) throw new ApiError(noSuchResource());
    out.text('404 page not found\n', 'text/plain; charset=utf-8', 404);
  }

  async #serve(
    resource: ApiResource,
    request: ApiRequest,
    user: User,
    incoming: IncomingMessage,
    out: Responder,
    effect: Effect,
  ): Promise<void> {
    const { store } = this;
    const write = async () => {
      const contentType = incoming.headers['content-type'] ?? 'application/json';
      return { store, resource, request, contentType, body: await readBody(incoming) };
    };
    switch (request.verb) {
      case 'list': {
        const page = await listPage(store, resource, request, effect, { blockTimeoutMs: this.#blockTimeoutMs });
        if (wantsTable(incoming)) out.json(tableBody(resource, page, request, Date.now()));
        else out.text(listBody(resource, page), 'application/json');
        return;
      }
      case 'watch':
        this.#watches.serve({ request, user, resource, effect }, out);
        return;
      case 'get':
        this.#get(resource, request, out, effect);
        return;
      case 'create':
        out.text(`${serialize(create(await write()))}\n`, 'application/json', 201);
        return;
      case 'update':
        if (request.name === '') throw new ApiError(methodNotAllowed());
        out.json(update(await write()));
        return;
      case 'patch':
        out.json(patch(await write()));
        return;
      case 'delete':
        out.json(remove(await write()));
        return;
      default:
        throw new ApiError(methodNotAllowed());
    }
  }

  #get(resource: ApiResource, request: ApiRequest, out: Responder, effect: Effect): void {
    if (request.subresource === 'proxy') {
      this.#proxy(request, out);
      return;
    }
    const object = this.store.require(resource, request.namespace, request.name);
    if (request.subresource === 'log') this.logs.serve(object, request, out, effect);
    else if (request.subresource === 'scale') out.json(scaleOf(object));
    else out.text(`${serialize(object)}\n`, 'application/json');
  }

  /** Services called prometheus answer as one would; there is nothing behind any other. */
  #proxy({ name, namespace, path, query }: ApiRequest, out: Responder): void {
    const [service = ''] = name.split(':');
    this.store.require(this.resources.require('services'), namespace, service);
    if (service === 'prometheus') answerPrometheus(path, query, out);
    else out.status(failure(503, 'ServiceUnavailable', `no endpoints available for service "${service}"`));
  }

  #answerPath({ path, method, verb }: ApiRequest, user: User, out: Responder): void {
    const found = method === 'GET' ? discover(this.resources, path) : undefined;
    if (found) out.json(found);
    else if (['/healthz', '/livez', '/readyz'].includes(path)) out.text('ok', 'text/plain; charset=utf-8');
    else if (/^\/(api|apis|openapi)(\/|$)/.test(path) || user.groups.includes('system:masters')) {
      out.text('404 page not found\n', 'text/plain; charset=utf-8', 404);
    } else out.status(forbiddenPath(user.name, verb, path));
  }
}

function answer({ body, status, contentType, headers = {} }: NonNullable<Effect['respond']>, out: Responder): void {
  if (typeof body === 'string') out.text(body, contentType ?? 'application/json', status, headers);
  else out.json(body, status, { ...headers, ...(contentType === undefined ? {} : { 'Content-Type': contentType }) });
}

async function readBody(incoming: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  if ((incoming.headers['content-type'] ?? '').includes('protobuf')) {
    throw new ApiError(unsupportedMediaType(['application/json']));
  }
  const text = Buffer.concat(chunks).toString();
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ApiError(badRequest("the object provided is unrecognized: couldn't get version/kind; json parse error"));
  }
}

/** The kubelet's part in a graceful deletion: a moment later the pod is gone. Returns the way to stop. */
function finishTerminations(store: Store, terminationMs: number): () => void {
  const timers = new Set<{ cancel(): void }>();
  const unsubscribe = store.subscribe('pods', ({ type, object, previous }) => {
    const { deletionTimestamp, namespace = '', name, uid } = object.metadata;
    if (type !== 'MODIFIED' || deletionTimestamp === undefined || previous?.metadata.deletionTimestamp !== undefined)
      return;
    const timer = store.clock.after(terminationMs, () => {
      timers.delete(timer);
      if (store.get('pods', namespace, name)?.metadata.uid === uid) store.delete('pods', namespace, name);
    });
    timers.add(timer);
  });
  return () => {
    unsubscribe();
    for (const timer of timers) timer.cancel();
  };
}

export { resourceKey };
