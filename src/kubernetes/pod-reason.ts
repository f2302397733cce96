import { integer, list, optionalText, record, records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { isStaying, oncePerObject } from './once-per-object.ts';
import { podCondition } from './pod-columns.ts';
import { podContainers, type ContainerType, type PodContainer } from './pod-containers.ts';

/** How much of a message from the cluster is passed on, in characters. */
const MAX_MESSAGE = 300;

const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'ImageInspectError',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** Why a container waits that is only on its way. */
const STARTING_REASONS: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

const TYPE_NAMES: Readonly<Record<ContainerType, string>> = {
  INIT: 'init container',
  SIDECAR: 'sidecar',
  REGULAR: 'container',
  EPHEMERAL: 'ephemeral container',
};

/**
 * Why a pod is not healthy, in one sentence for a person; undefined when it is, or has completed.
 * The first that holds: node lost, being deleted, failed, not scheduled, a container in trouble, still starting, not
 * ready. `now`, in milliseconds since 1970, tells a deletion in time from one that hangs. Ephemeral containers, which
 * are for debugging, do not count. Never throws, whatever `spec` and `status` hold.
 */
export function podReason(pod: KubernetesObject, now: number = Date.now()): string | undefined {
  const status = record(pod.status);
  if (status['reason'] === 'NodeLost') return nodeLost(pod);
  if (pod.metadata.deletionTimestamp) return terminating(pod, now);
  switch (status['phase']) {
    case 'Succeeded':
      return undefined;
    case 'Failed':
      return failed(pod);
    case 'Unknown':
      return explain('The state of the pod cannot be obtained', status['message']);
    default:
      return notScheduled(pod) ?? troubled(pod) ?? starting(pod) ?? notReady(pod);
  }
}

/** The same as of now. */
export const podReasonNow = oncePerObject((pod) => podReason(pod), isStaying);

/** What is wrong with a container, beyond its not being ready yet; undefined when nothing is. */
export function containerProblem(container: PodContainer): string | undefined {
  if (container.type === 'EPHEMERAL') return undefined;
  if (container.state === 'TERMINATED') return ended(container);
  if (container.state !== 'WAITING' || container.reason === undefined) return undefined;
  if (STARTING_REASONS.has(container.reason)) return undefined;
  if (IMAGE_REASONS.has(container.reason)) {
    return `Image "${container.image}" of ${named(container)} cannot be pulled (${container.reason}).`;
  }
  if (container.reason === 'CrashLoopBackOff') return crashing(container);
  return explain(`${capital(named(container))} cannot start (${container.reason})`, container.message);
}

function nodeLost(pod: KubernetesObject): string {
  const node = optionalText(record(pod.spec)['nodeName']);
  const subject = node === undefined ? 'The node' : `Node "${node}"`;
  return explain(`${subject} no longer answers (NodeLost)`, record(pod.status)['message']);
}

/** The deletionTimestamp is the end of the grace period: the time of the request plus that period. */
function terminating(pod: KubernetesObject, now: number): string {
  const grace = integer(record(pod.metadata)['deletionGracePeriodSeconds']);
  const end = Date.parse(text(pod.metadata.deletionTimestamp));
  if (Number.isNaN(end)) return 'Terminating.';
  const since = `Terminating since ${rfc3339(end - grace * 1_000)}`;
  const period = grace === 0 ? 'grace period' : `grace period of ${grace} s`;
  if (now <= end) return `${since}, within its ${period}.`;
  const finalizers = list(record(pod.metadata)['finalizers']).map((each) => `"${text(each)}"`);
  const held = finalizers.length === 0 ? '' : `, held by ${finalizers.join(', ')}`;
  return `${since}, past its ${period}${held}.`;
}

function failed(pod: KubernetesObject): string {
  const { reason, message } = record(pod.status);
  if (text(reason) !== '') return explain(text(reason), message);
  return troubled(pod) ?? explain('The pod has failed', message);
}

function notScheduled(pod: KubernetesObject): string | undefined {
  const { status, reason, message } = podCondition(pod, 'PodScheduled');
  if (status !== 'False') return undefined;
  if (reason === 'SchedulingGated') return heldByGates(pod);
  if (reason === 'Unschedulable') return explain('No node fits', message);
  return explain('The pod is not scheduled', text(message) || text(reason));
}

function heldByGates(pod: KubernetesObject): string {
  const gates = records(record(pod.spec)['schedulingGates']).map((gate) => `"${text(gate['name'])}"`);
  return gates.length === 0 ? 'Held back by scheduling gates.' : `Held back by scheduling gate ${gates.join(', ')}.`;
}

function troubled(pod: KubernetesObject): string | undefined {
  for (const container of podContainers(pod)) {
    const problem = containerProblem(container);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function starting(pod: KubernetesObject): string | undefined {
  const waiting = podContainers(pod).find((container) => isStarting(pod, container));
  if (waiting !== undefined) {
    const state = waiting.type === 'INIT' && waiting.state === 'RUNNING' ? 'is still running' : 'has not started yet';
    return `Starting: ${named(waiting)} ${state}${waiting.reason === undefined ? '' : ` (${waiting.reason})`}.`;
  }
  if (record(pod.status)['phase'] === 'Running') return undefined;
  const node = optionalText(record(pod.spec)['nodeName']);
  return node === undefined ? 'Waiting for a node.' : `Waiting for node "${node}" to start it.`;
}

/** Before the pod is initialized the init containers matter, afterwards the others do. */
function isStarting(pod: KubernetesObject, container: PodContainer): boolean {
  switch (container.type) {
    case 'INIT':
      return isInitializing(pod) && (container.state === 'RUNNING' || container.state === 'WAITING');
    case 'SIDECAR':
      return isInitializing(pod) && !container.started && container.state !== 'UNKNOWN';
    case 'REGULAR':
      return container.state === 'WAITING';
    case 'EPHEMERAL':
    default:
      return false;
  }
}

function isInitializing(pod: KubernetesObject): boolean {
  return podCondition(pod, 'Initialized')['status'] !== 'True' && record(pod.status)['phase'] !== 'Running';
}

/** The Ready condition has the last word when it is True: a container that is done need not be ready. */
function notReady(pod: KubernetesObject): string | undefined {
  const { status, reason, message } = podCondition(pod, 'Ready');
  if (status === 'True') return undefined;
  const [first, ...others] = podContainers(pod).filter(isUnready);
  if (first === undefined) {
    return status === 'False' ? explain('Running, but not ready', text(message) || text(reason)) : undefined;
  }
  if (others.length > 0) {
    const names = [first, ...others].map(({ name }) => `"${name}"`);
    return `Running, but containers ${names.join(', ')} are not ready.`;
  }
  if (first.state === 'TERMINATED') return `Running, but ${named(first)} has ended.`;
  const after = first.lastTermination === undefined ? '' : ` after ${history(first)}`;
  return `Running, but ${named(first)} is not ready${after}.`;
}

function isUnready(container: PodContainer): boolean {
  return (container.type === 'REGULAR' || container.type === 'SIDECAR') && !container.ready;
}

function crashing(container: PodContainer): string {
  const past = history(container);
  return `${capital(named(container))} keeps crashing${past === '' ? '' : `: ${past}`}.`;
}

/** A container that ended well has no problem. */
function ended(container: PodContainer): string | undefined {
  if (container.exitCode === undefined || container.exitCode === 0) return undefined;
  const count = container.restarts === 0 ? '' : `, ${restarts(container.restarts)}`;
  return `${capital(named(container))} ended with ${exit(container.exitCode, container.reason)}${count}.`;
}

/** `exit code 1 (Error), 7 restarts, last 2026-01-05T10:30:00Z`, as far as it is known; '' when nothing is. */
function history(container: PodContainer): string {
  const last = container.lastTermination;
  const parts = [
    ...(last === undefined ? [] : [exit(last.exitCode, last.reason)]),
    ...(container.restarts === 0 ? [] : [restarts(container.restarts)]),
    ...(last?.finishedAt === undefined ? [] : [`last ${last.finishedAt}`]),
  ];
  return parts.join(', ');
}

function exit(code: number, reason: string | undefined): string {
  return reason === undefined ? `exit code ${code}` : `exit code ${code} (${reason})`;
}

function restarts(count: number): string {
  return count === 1 ? '1 restart' : `${count} restarts`;
}

function named(container: PodContainer): string {
  return `${TYPE_NAMES[container.type]} "${container.name}"`;
}

/** `summary: message.`, the message on one line and cut; `summary.` when there is none. */
function explain(summary: string, message: unknown): string {
  const line = text(message).replaceAll(/\s+/g, ' ').trim();
  if (line === '') return `${summary}.`;
  if (line.length > MAX_MESSAGE) return `${summary}: ${line.slice(0, MAX_MESSAGE)}…`;
  return `${summary}: ${line}${/[.!?]$/.test(line) ? '' : '.'}`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** Whole seconds, as Kubernetes writes times. */
function rfc3339(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString().replace('.000Z', 'Z');
}
