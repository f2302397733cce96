import type { WebSocket } from 'ws';
import { isObject, type Json, type JsonObject } from '../../apiserver/json.ts';
import type { WatchApiFaults } from './faults.ts';
import { InnerWatch, type InnerRequest } from './inner-watch.ts';
import type { Grant } from './tokens.ts';

/** Where one watch of a connection is to be had behind KAS. */
export type Route = (grant: Grant, path: string) => InnerRequest;

/** One open WebSocket of the aggregated watch, and what a test may do to it. */
export class WatchConnection {
  readonly user: string;
  readonly agentId: number;
  /** Messages received from the client, oldest first. */
  readonly received: JsonObject[] = [];
  readonly #grant: Grant;
  readonly #socket: WebSocket;
  readonly #faults: WatchApiFaults;
  readonly #route: Route;
  readonly #watches = new Map<string, InnerWatch>();
  #isSilent = false;

  constructor(grant: Grant, socket: WebSocket, faults: WatchApiFaults, route: Route) {
    this.user = grant.user.name;
    this.agentId = grant.agentId;
    this.#grant = grant;
    this.#socket = socket;
    this.#faults = faults;
    this.#route = route;
    this.#isSilent = faults.silentConnections;
    socket.on('ping', (data: Buffer) => {
      if (!this.#isSilent) socket.pong(data);
    });
    socket.on('message', (data) => this.#receive((data as Buffer).toString()));
    socket.on('error', () => {});
    socket.on('close', () => this.#endAll());
  }

  /** IDs of the watches that are open. */
  get watches(): string[] {
    return [...this.#watches.keys()];
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** Breaks the connection without a farewell. */
  reset(): void {
    this.#socket.terminate();
  }

  /** From now on a black hole: no event, no pong. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Any text, or any bytes, as a message. */
  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  send(message: JsonObject): void {
    if (!this.#isSilent) this.#socket.send(JSON.stringify(message));
  }

  /** Ends one watch, as the cluster does at its timeout. */
  stop(watchId: string): void {
    this.#forget(watchId);
    this.send({ watchId, type: 'stop' });
  }

  /** Ends one watch with an error; without a Status it is KAS's own. */
  fail(watchId: string, message: string, status?: JsonObject): void {
    this.#forget(watchId);
    this.send({ watchId, type: 'error', error: { message, ...(status && { object: status }) } });
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Json;
    if (!isObject(message)) return;
    this.received.push(message);
    const watchId = message['watch_id'];
    if (typeof watchId !== 'string') return;
    if (message['type'] === 'unwatch') {
      if (!this.#faults.dropUnwatch) this.#forget(watchId);
      return;
    }
    const parameters = message['watch_params'];
    if (message['type'] !== 'watch' || !isObject(parameters)) return;
    if (this.#watches.has(watchId)) this.fail(watchId, `watch ${watchId} exists already`);
    else this.#watch(watchId, parameters);
  }

  #watch(watchId: string, parameters: JsonObject): void {
    const inner = new InnerWatch(this.#route(this.#grant, pathOf(parameters, this.#faults)), {
      event: (watchEvent) => this.send({ watchId, type: 'event', watchEvent }),
      ended: (end) => {
        if (end === 'stop') this.stop(watchId);
        else this.fail(watchId, end.message, end.status);
      },
    });
    this.#watches.set(watchId, inner);
  }

  #forget(watchId: string): void {
    this.#watches.get(watchId)?.close();
    this.#watches.delete(watchId);
  }

  #endAll(): void {
    for (const watchId of this.watches) this.#forget(watchId);
  }
}

/**
 * The collection and its query. Only the names of the protobuf files are known; anything else, camelCase as well, is
 * ignored without a word, as KAS does.
 */
function pathOf(parameters: JsonObject, faults: WatchApiFaults): string {
  const field = (name: string) => {
    const value = parameters[name];
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  };
  const [group, namespace] = [field('group'), field('namespace')];
  const root = group === '' ? '/api' : `/apis/${group}`;
  const inNamespace = namespace === '' ? '' : `/namespaces/${namespace}`;
  const query = new URLSearchParams({ watch: 'true' });
  const pass = (parameter: string, name: string) => {
    if (field(name) !== '') query.set(parameter, field(name));
  };
  pass('fieldSelector', 'field_selector');
  pass('labelSelector', 'label_selector');
  pass('timeoutSeconds', 'timeout_seconds');
  if (!faults.withholdBookmarks) pass('allowWatchBookmarks', 'allow_watch_bookmarks');
  if (!faults.ignoreResourceVersion) {
    pass('resourceVersion', 'resource_version');
    pass('resourceVersionMatch', 'resource_version_match');
    pass('sendInitialEvents', 'send_initial_events');
  }
  return `${root}/${field('version')}${inNamespace}/${field('resource')}?${query.toString()}`;
}
