import { integer, isRecord, optionalText, record, records, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { oncePerObject } from './once-per-object.ts';
import { sidecarNames } from './pod-columns.ts';

/** SIDECAR is an init container with restartPolicy Always: it starts before the regular ones and keeps running. */
export type ContainerType = 'INIT' | 'SIDECAR' | 'REGULAR' | 'EPHEMERAL';
export type ContainerState = 'WAITING' | 'RUNNING' | 'TERMINATED' | 'UNKNOWN';

export interface PodContainer {
  readonly name: string;
  readonly type: ContainerType;
  /** As the pod asks for it. */
  readonly image: string;
  /** UNKNOWN when nothing has been reported yet. */
  readonly state: ContainerState;
  /** Of the current state: why it waits, or how it ended. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** Of a container that has ended; undefined otherwise. */
  readonly exitCode: number | undefined;
  readonly ready: boolean;
  /** Running, and past its startup probe. */
  readonly started: boolean;
  readonly restarts: number;
  /** Of the run that is or was the current one, RFC 3339. */
  readonly startedAt: string | undefined;
  /** How the run before the current one ended. */
  readonly lastTermination: ContainerTermination | undefined;
}

export interface ContainerTermination {
  readonly reason: string | undefined;
  readonly exitCode: number;
  /** RFC 3339. */
  readonly finishedAt: string | undefined;
}

/** All containers of a pod in the order of its spec: init containers and sidecars, regular ones, ephemeral ones. */
export const podContainers = oncePerObject(containersOf);

function containersOf(pod: KubernetesObject): readonly PodContainer[] {
  const spec = record(pod.spec);
  const status = record(pod.status);
  const sidecars = sidecarNames(pod);
  const initType = (name: string) => (sidecars.has(name) ? 'SIDECAR' : 'INIT');
  return [
    ...group(spec['initContainers'], status['initContainerStatuses'], initType),
    ...group(spec['containers'], status['containerStatuses'], () => 'REGULAR'),
    ...group(spec['ephemeralContainers'], status['ephemeralContainerStatuses'], () => 'EPHEMERAL'),
  ];
}

/** Pairs the containers of a spec with their statuses by name: the two lists need not have the same order. */
function group(specs: unknown, statuses: unknown, typeOf: (name: string) => ContainerType): PodContainer[] {
  const containers = records(specs);
  if (containers.length === 0) return [];
  const byName = new Map(records(statuses).map((each) => [text(each['name']), each]));
  return containers.map((container) => {
    const name = text(container['name']);
    return podContainer(container, byName.get(name) ?? {}, typeOf(name));
  });
}

function podContainer(container: JsonRecord, status: JsonRecord, type: ContainerType): PodContainer {
  const { state, details } = currentState(record(status['state']));
  const last = record(status['lastState'])['terminated'];
  return {
    name: text(container['name']),
    type,
    image: text(container['image']),
    state,
    reason: optionalText(details['reason']),
    message: optionalText(details['message']),
    exitCode: state === 'TERMINATED' ? integer(details['exitCode']) : undefined,
    ready: status['ready'] === true,
    started: status['started'] === true,
    restarts: Math.max(0, integer(status['restartCount'])),
    startedAt: optionalText(details['startedAt']),
    lastTermination: isRecord(last) ? termination(last) : undefined,
  };
}

function currentState(state: JsonRecord): { state: ContainerState; details: JsonRecord } {
  const { waiting, running, terminated } = state;
  if (isRecord(waiting)) return { state: 'WAITING', details: waiting };
  if (isRecord(terminated)) return { state: 'TERMINATED', details: terminated };
  if (isRecord(running)) return { state: 'RUNNING', details: running };
  return { state: 'UNKNOWN', details: {} };
}

function termination(terminated: JsonRecord): ContainerTermination {
  return {
    reason: optionalText(terminated['reason']),
    exitCode: integer(terminated['exitCode']),
    finishedAt: optionalText(terminated['finishedAt']),
  };
}
