import { integer, isRecord, optionalText, record, records, text, type JsonRecord } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { oncePerObject } from './once-per-object.ts';

export interface PodColumns {
  /** `status.phase`; 'Unknown' when there is none, which no API server sends. */
  readonly phase: string;
  /** kubectl's STATUS: CrashLoopBackOff, Init:1/2, Terminating, Completed … */
  readonly displayStatus: string;
  /** kubectl's READY: regular containers and sidecars. */
  readonly ready: { readonly ready: number; readonly total: number };
  /** kubectl's RESTARTS: those of the init containers while they run, then those of regular containers and sidecars. */
  readonly restarts: number;
  /** When the container that restarted last had ended, RFC 3339. Undefined when none did, or none says when. */
  readonly lastRestartAt: string | undefined;
  readonly nodeName: string | undefined;
  readonly podIP: string | undefined;
}

/** One group of containers, summed up; `reason` is undefined where the group has nothing to say about the status. */
interface Tally {
  readonly reason: string | undefined;
  readonly ready: number;
  readonly restarts: Restarts;
}

interface Restarts {
  readonly count: number;
  readonly lastAt: string | undefined;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** GraphQL's Int ends here, as does Kubernetes' own restartCount. */
const MAX_INT32 = 2 ** 31 - 1;

/**
 * The columns of `kubectl get pods`. Never throws, whatever `spec` and `status` hold.
 * Source: printPod in Kubernetes' pkg/printers/internalversion/printers.go, with which test/kubectl compares it.
 */
export const podColumns = oncePerObject(columnsOf);

function columnsOf(pod: KubernetesObject): PodColumns {
  const spec = record(pod.spec);
  const status = record(pod.status);
  const sidecars = sidecarNames(pod);
  const init = tallyInitContainers(pod, sidecars);
  const started = init.reason === undefined || isInitialized(status);
  const main = started ? tallyContainers(status, statusBeforeContainers(status, init.reason)) : undefined;

  const restarts = main === undefined ? init.restarts : latest([init.sidecarRestarts, main.restarts]);
  const total = records(spec['containers']).length + sidecars.size;
  return {
    phase: text(status['phase']) || 'Unknown',
    displayStatus: deletionStatus(pod, status) ?? main?.reason ?? statusBeforeContainers(status, init.reason),
    ready: { ready: Math.min(init.ready + (main?.ready ?? 0), total), total },
    restarts: restarts.count,
    lastRestartAt: restarts.count === 0 ? undefined : restarts.lastAt,
    nodeName: optionalText(spec['nodeName']),
    podIP: optionalText(status['podIP']) ?? optionalText(records(status['podIPs'])[0]?.['ip']),
  };
}

/** The names of init containers that keep running beside the regular ones (restartPolicy Always). */
export function sidecarNames(pod: KubernetesObject): ReadonlySet<string> {
  const init = records(record(pod.spec)['initContainers']);
  if (init.length === 0) return NO_NAMES;
  return new Set(init.filter((each) => each['restartPolicy'] === 'Always').map((each) => text(each['name'])));
}

/** The condition of this type, or {}. */
export function podCondition(pod: KubernetesObject, type: string): JsonRecord {
  return records(record(pod.status)['conditions']).find((condition) => condition['type'] === type) ?? {};
}

function statusBeforeContainers(status: JsonRecord, initReason: string | undefined): string {
  if (initReason !== undefined) return initReason;
  const gated = records(status['conditions']).some(
    (condition) => condition['type'] === 'PodScheduled' && condition['reason'] === 'SchedulingGated',
  );
  return gated ? 'SchedulingGated' : text(status['reason']) || text(status['phase']);
}

/** What being deleted makes of the status; undefined when the pod is not, or has ended anyway. */
function deletionStatus(pod: KubernetesObject, status: JsonRecord): string | undefined {
  if (!pod.metadata.deletionTimestamp) return undefined;
  if (status['reason'] === 'NodeLost') return 'Unknown';
  return status['phase'] === 'Failed' || status['phase'] === 'Succeeded' ? undefined : 'Terminating';
}

function isInitialized(status: JsonRecord): boolean {
  const condition = records(status['conditions']).find((each) => each['type'] === 'Initialized');
  return condition?.['status'] === 'True';
}

/** Init containers run one after the other: the first that has not done its part gives the reason, and ends the tally. */
function tallyInitContainers(
  pod: KubernetesObject,
  sidecars: ReadonlySet<string>,
): Tally & { readonly sidecarRestarts: Restarts } {
  const total = records(record(pod.spec)['initContainers']).length;
  const statuses = records(record(pod.status)['initContainerStatuses']);
  const isSidecar = (status: JsonRecord) => sidecars.has(text(status['name']));

  const isDone = (status: JsonRecord) => hasSucceeded(status) || (isSidecar(status) && status['started'] === true);
  const pending = statuses.findIndex((status) => !isDone(status));
  const seen = pending === -1 ? statuses : statuses.slice(0, pending + 1);
  const done = pending === -1 ? statuses : statuses.slice(0, pending);
  return {
    reason: pending === -1 ? undefined : `Init:${initReason(record(statuses[pending])) ?? `${pending}/${total}`}`,
    ready: done.filter((status) => !hasSucceeded(status) && status['ready'] === true).length,
    restarts: latest(seen.map(restartsOf)),
    sidecarRestarts: latest(seen.filter(isSidecar).map(restartsOf)),
  };
}

/** Why an init container is not done; undefined when it is simply its turn, or not yet. */
function initReason(status: JsonRecord): string | undefined {
  const { terminated, waiting } = record(status['state']);
  if (isRecord(terminated)) return terminationReason(terminated);
  const reason = text(record(waiting)['reason']);
  return reason === '' || reason === 'PodInitializing' ? undefined : reason;
}

/** Regular containers run side by side: the first in the list with something to say gives the reason. */
function tallyContainers(status: JsonRecord, before: string): Tally {
  const statuses = records(status['containerStatuses']);
  const reasons = statuses.map(containerReason);
  const running = statuses.filter((each, index) => reasons[index] === undefined && isReadyAndRunning(each));
  const reason = reasons.find((each) => each !== undefined) ?? before;
  const error = reasons.find((each, index) => each !== undefined && hasFailed(record(statuses[index])));
  return {
    reason: reason === 'Completed' ? completedStatus(status, running.length > 0, error) : reason,
    ready: running.length,
    restarts: latest(statuses.map(restartsOf)),
  };
}

/** Completed holds for the pod only when it holds for all containers. */
function completedStatus(status: JsonRecord, hasRunning: boolean, error: string | undefined): string {
  if (hasRunning && isReady(status)) return 'Running';
  return error ?? (hasRunning ? 'NotReady' : 'Completed');
}

function isReady(status: JsonRecord): boolean {
  return records(status['conditions']).some((each) => each['type'] === 'Ready' && each['status'] === 'True');
}

function containerReason(status: JsonRecord): string | undefined {
  const { waiting, terminated } = record(status['state']);
  const reason = text(record(waiting)['reason']);
  if (reason !== '') return reason;
  return isRecord(terminated) ? terminationReason(terminated) : undefined;
}

function terminationReason(terminated: JsonRecord): string {
  const reason = text(terminated['reason']);
  if (reason !== '') return reason;
  const signal = integer(terminated['signal']);
  return signal === 0 ? `ExitCode:${integer(terminated['exitCode'])}` : `Signal:${signal}`;
}

function isReadyAndRunning(status: JsonRecord): boolean {
  return status['ready'] === true && isRecord(record(status['state'])['running']);
}

function hasSucceeded(status: JsonRecord): boolean {
  const { terminated } = record(status['state']);
  return isRecord(terminated) && integer(terminated['exitCode']) === 0;
}

/** Whether it has ended with an error. One that waits, with a reason, for its next start has not. */
function hasFailed(status: JsonRecord): boolean {
  const { waiting, terminated } = record(status['state']);
  return text(record(waiting)['reason']) === '' && isRecord(terminated) && integer(terminated['exitCode']) !== 0;
}

function restartsOf(status: JsonRecord): Restarts {
  const { terminated } = record(status['lastState']);
  const finishedAt = text(record(terminated)['finishedAt']);
  return {
    count: Math.max(0, integer(status['restartCount'])),
    lastAt: Number.isNaN(Date.parse(finishedAt)) ? undefined : finishedAt,
  };
}

/** All of them together: the sum of the counts, the latest of the times. */
function latest(parts: readonly Restarts[]): Restarts {
  let count = 0;
  let lastAt: string | undefined;
  for (const part of parts) {
    count = Math.min(count + part.count, MAX_INT32);
    if (part.lastAt !== undefined && (lastAt === undefined || Date.parse(part.lastAt) > Date.parse(lastAt))) {
      lastAt = part.lastAt;
    }
  }
  return { count, lastAt };
}
