import { createHash } from 'node:crypto';
import { isObject, text, type JsonObject } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import { condition, keepTransitions } from './owners.ts';

/** One container as the kubelet sees it. */
export interface Container {
  readonly name: string;
  readonly image: string;
  /** An init container that stays: a sidecar. */
  readonly isSidecar: boolean;
  state: JsonObject;
  lastState: JsonObject;
  ready: boolean;
  restarts: number;
}

export function containersOf(pod: ApiObject, field: 'containers' | 'initContainers'): Container[] {
  const list = pod.spec?.[field];
  const reason = pod.spec?.['initContainers'] === undefined ? 'ContainerCreating' : 'PodInitializing';
  return (Array.isArray(list) ? list.filter((item) => isObject(item)) : []).map((item) => ({
    name: text(item['name']),
    image: text(item['image']),
    isSidecar: item['restartPolicy'] === 'Always',
    state: { waiting: { reason } },
    lastState: {},
    ready: false,
    restarts: 0,
  }));
}

export interface PodPicture {
  readonly phase: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly isScheduled: boolean;
  readonly ip: string;
  readonly startTime: string | undefined;
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
}

/** The `status` the kubelet reports for this picture. */
export function podStatus(pod: ApiObject, picture: PodPicture, now: string): JsonObject {
  const { phase, reason, message, isScheduled, ip, startTime, containers, initContainers } = picture;
  const isInitialized = initContainers.every((container) => container.ready);
  const isReady = phase === 'Running' && isInitialized && containers.every((container) => container.ready);
  const why = phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady';
  const unready = containers.filter((container) => !container.ready).map((container) => container.name);
  const says = isReady ? '' : `containers with unready status: [${unready.join(' ')}]`;
  const conditions = [
    condition('PodScheduled', isScheduled, isScheduled ? '' : 'Unschedulable', '', now),
    condition('Initialized', isInitialized, isInitialized ? '' : 'ContainersNotInitialized', '', now),
    condition('ContainersReady', isReady, isReady ? '' : why, says, now),
    condition('Ready', isReady, isReady ? '' : why, says, now),
  ];
  return {
    phase,
    reason: reason ?? null,
    message: message ?? null,
    conditions: keepTransitions(pod.status?.['conditions'], conditions),
    hostIP: isScheduled ? '10.0.0.11' : null,
    podIP: isScheduled && phase !== 'Pending' ? ip : null,
    startTime: startTime ?? null,
    qosClass: 'Burstable',
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: initContainers.map(containerStatus) }),
    containerStatuses: isScheduled ? containers.map(containerStatus) : null,
  };
}

function containerStatus({ name, image, state, lastState, ready, restarts }: Container): JsonObject {
  const digest = createHash('sha256').update(image).digest('hex');
  const hasRun = 'running' in state || 'terminated' in state;
  return {
    name,
    image,
    imageID: hasRun ? `${image.split(':')[0] ?? image}@sha256:${digest}` : '',
    ready,
    started: 'running' in state,
    restartCount: restarts,
    state,
    lastState,
  };
}

export function terminated(reason: string, exitCode: number, startedAt: string, finishedAt: string): JsonObject {
  return { terminated: { reason, exitCode, startedAt, finishedAt } };
}
