import { healthFrom, type Health, type HealthLevel } from './generic-health.ts';
import { record } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { podColumns, podCondition } from './pod-columns.ts';
import { podContainers, type PodContainer } from './pod-containers.ts';
import { containerProblem, podReasonNow } from './pod-reason.ts';

/**
 * DEGRADED: failed or evicted, no node fits, a container that crashes, cannot start or get its image, or is not ready
 * again after a crash (out of memory among them). PROGRESSING: starting, being deleted, held back by a scheduling gate,
 * not ready. UNKNOWN: its node is lost. The reason is kubectl's STATUS, the message is `podReason`.
 * No node is DEGRADED from the first moment: a level that depended on the time would have to change without an event.
 */
export function podHealth(pod: KubernetesObject): Health {
  const message = podReasonNow(pod);
  return healthFrom(level(pod, message), { reason: podColumns(pod).displayStatus, message });
}

function level(pod: KubernetesObject, problem: string | undefined): HealthLevel {
  const { phase, reason } = record(pod.status);
  if (reason === 'NodeLost' || phase === 'Unknown') return 'UNKNOWN';
  if (pod.metadata.deletionTimestamp) return 'PROGRESSING';
  if (problem === undefined) return 'HEALTHY';
  if (phase === 'Failed' || isUnschedulable(pod) || podContainers(pod).some(isBroken)) return 'DEGRADED';
  return 'PROGRESSING';
}

function isUnschedulable(pod: KubernetesObject): boolean {
  const { status, reason } = podCondition(pod, 'PodScheduled');
  return status === 'False' && reason === 'Unschedulable';
}

function isBroken(container: PodContainer): boolean {
  if (containerProblem(container) !== undefined) return true;
  const isServing = container.type === 'REGULAR' || container.type === 'SIDECAR';
  return isServing && !container.ready && (container.lastTermination?.exitCode ?? 0) !== 0;
}
