import { text, valueAt, type Json } from './json.ts';
import type { Effect } from './effects.ts';
import type { ApiObject } from './object.ts';
import type { ApiRequest } from './request.ts';
import type { Responder } from './responder.ts';
import { ApiError, badRequest } from './status.ts';
import type { Store } from './store.ts';

interface Line {
  readonly time: number;
  readonly text: string;
}

/** One container's output. */
interface ContainerLog {
  current: Line[];
  previous: Line[] | undefined;
  followers: Set<(line: Line | undefined) => void>;
}

const KEPT_LINES = 10_000;

/** What containers have printed, and who follows it. */
export class PodLogs {
  readonly #store: Store;
  readonly #logs = new Map<string, ContainerLog>();

  constructor(store: Store) {
    this.#store = store;
    store.subscribe('pods', (change) => {
      if (change.type === 'DELETED') this.#forget(change.object);
    });
  }

  /** One line of output, without its line end. */
  append(namespace: string, pod: string, container: string, text: string): void {
    const log = this.#log(namespace, pod, container);
    const line = { time: this.#store.clock.now(), text };
    log.current.push(line);
    if (log.current.length > KEPT_LINES * 1.25) log.current.splice(0, log.current.length - KEPT_LINES);
    for (const follower of log.followers) follower(line);
  }

  /** The container has stopped: followers' streams end, its output becomes the previous one. */
  restart(namespace: string, pod: string, container: string): void {
    const log = this.#log(namespace, pod, container);
    log.previous = log.current;
    log.current = [];
    for (const follower of log.followers) follower(undefined);
  }

  /** What the container has printed since it started. */
  lines(namespace: string, pod: string, container: string): string[] {
    return this.#log(namespace, pod, container).current.map((line) => line.text);
  }

  serve(pod: ApiObject, { query }: ApiRequest, out: Responder, { logBytes }: Effect = {}): void {
    const container = chooseContainer(pod, query.get('container') ?? '');
    const { namespace = '', name } = pod.metadata;
    if (logBytes !== undefined) {
      out.startStream('text/plain');
      pump(logBytes(), out);
      return;
    }
    const log = this.#log(namespace, name, container);
    const wantsPrevious = isTrue(query.get('previous'));
    if (wantsPrevious && !log.previous) {
      throw new ApiError(badRequest(`previous terminated container "${container}" in pod "${name}" not found`));
    }
    if (!wantsPrevious) checkStarted(pod, container);
    const lines = select(wantsPrevious ? (log.previous ?? []) : log.current, query, this.#store.clock.now());
    const timestamps = isTrue(query.get('timestamps'));
    const output = lines.map((line) => format(line, timestamps)).join('');
    const limit = query.get('limitBytes');
    const shown = limit === null ? output : Buffer.from(output).subarray(0, Number(limit)).toString();
    if (!isTrue(query.get('follow')) || wantsPrevious) {
      out.text(shown, 'text/plain');
      return;
    }
    out.startStream('text/plain');
    if (shown !== '') out.write(shown);
    const follower = (line: Line | undefined) => (line ? out.write(format(line, timestamps)) : out.end());
    log.followers.add(follower);
    out.onClose(() => log.followers.delete(follower));
  }

  #log(namespace: string, pod: string, container: string): ContainerLog {
    const key = `${namespace}/${pod}/${container}`;
    const log = this.#logs.get(key) ?? { current: [], previous: undefined, followers: new Set() };
    this.#logs.set(key, log);
    return log;
  }

  #forget(pod: ApiObject): void {
    const prefix = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}/`;
    for (const [key, log] of this.#logs) {
      if (!key.startsWith(prefix)) continue;
      for (const follower of log.followers) follower(undefined);
      this.#logs.delete(key);
    }
  }
}

/** Writes as much as is taken, and no more. */
function pump(bytes: Iterator<Uint8Array, void>, out: Responder): void {
  const state = { isClosed: false };
  out.onClose(() => (state.isClosed = true));
  const more = () => {
    while (!state.isClosed && out.backlog < 1024 * 1024) {
      const { done, value } = bytes.next();
      if (done === true) {
        out.end();
        return;
      }
      out.write(value);
    }
    if (!state.isClosed) setImmediate(more);
  };
  more();
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1';
}

function namesOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map((item) => text(valueAt(item, 'name'))) : [];
}

function chooseContainer(pod: ApiObject, wanted: string): string {
  const containers = namesOf(pod.spec?.['containers']);
  const initial = namesOf(pod.spec?.['initContainers']);
  const ephemeral = namesOf(pod.spec?.['ephemeralContainers']);
  const { name } = pod.metadata;
  const [only] = containers;
  if (wanted === '' && only !== undefined && containers.length === 1) return only;
  if (wanted !== '' && [...containers, ...initial, ...ephemeral].includes(wanted)) return wanted;
  if (wanted !== '') throw new ApiError(badRequest(`container ${wanted} is not valid for pod ${name}`));
  const also = initial.length === 0 ? '' : ` or one of the init containers: [${initial.join(' ')}]`;
  const choice = `choose one of: [${containers.join(' ')}]${also}`;
  throw new ApiError(badRequest(`a container name must be specified for pod ${name}, ${choice}`));
}

/** A container that has never run has no log yet. */
function checkStarted(pod: ApiObject, container: string): void {
  const statuses = [pod.status?.['containerStatuses'], pod.status?.['initContainerStatuses']].flat();
  const status = statuses.find((item) => valueAt(item, 'name') === container);
  const reason = valueAt(status, 'state', 'waiting', 'reason');
  const hasRun = Number(valueAt(status, 'restartCount') ?? 0) > 0;
  if (typeof reason !== 'string' || hasRun) return;
  const verb =
    reason === 'ContainerCreating' || reason === 'PodInitializing'
      ? 'to start'
      : 'to start: trying and failing to pull image';
  throw new ApiError(
    badRequest(`container "${container}" in pod "${pod.metadata.name}" is waiting ${verb}: ${reason}`),
  );
}

function select(lines: readonly Line[], query: URLSearchParams, now: number): readonly Line[] {
  const seconds = query.get('sinceSeconds');
  const time = query.get('sinceTime');
  const since = seconds === null ? (time === null ? 0 : Date.parse(time)) : now - Number(seconds) * 1000;
  const recent = lines.filter((line) => line.time >= since);
  const tail = query.get('tailLines');
  if (tail === null) return recent;
  return Number(tail) === 0 ? [] : recent.slice(-Number(tail));
}

function format(line: Line, timestamps: boolean): string {
  return timestamps ? `${new Date(line.time).toISOString()} ${line.text}\n` : `${line.text}\n`;
}
