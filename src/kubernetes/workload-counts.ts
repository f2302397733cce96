import { integer, optionalInteger, optionalText, record } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** How many pods a workload has, by what they are; never below zero. */
export interface WorkloadCounts {
  /** Asked for: `spec.replicas`, 1 when absent as the API server has it; of a DaemonSet the nodes that should run a pod. */
  readonly wanted: number;
  readonly existing: number;
  /** Made from the current template. */
  readonly updated: number;
  readonly ready: number;
  /** Ready for `minReadySeconds`. */
  readonly available: number;
}

/** The numbers of a Deployment, StatefulSet or ReplicaSet (whose pods are always up to date). */
export function replicaCounts(workload: KubernetesObject): WorkloadCounts {
  const count = counter(workload);
  return {
    wanted: Math.max(0, optionalInteger(record(workload.spec)['replicas']) ?? 1),
    existing: count('replicas'),
    updated: count(workload.kind === 'ReplicaSet' ? 'replicas' : 'updatedReplicas'),
    ready: count('readyReplicas'),
    available: count('availableReplicas'),
  };
}

export function daemonSetCounts(daemonSet: KubernetesObject): WorkloadCounts {
  const count = counter(daemonSet);
  return {
    wanted: count('desiredNumberScheduled'),
    existing: count('currentNumberScheduled'),
    updated: count('updatedNumberScheduled'),
    ready: count('numberReady'),
    available: count('numberAvailable'),
  };
}

/** How a StatefulSet or a DaemonSet brings pods to a new template. */
export interface UpdateStrategy {
  /** Pods get the new template only when somebody deletes them. */
  readonly onDelete: boolean;
  /** Of a StatefulSet: pods below this ordinal keep their template. Undefined when absent. */
  readonly partition: number | undefined;
}

export function updateStrategy(workload: KubernetesObject): UpdateStrategy {
  const strategy = record(record(workload.spec)['updateStrategy']);
  const partition = optionalInteger(record(strategy['rollingUpdate'])['partition']);
  return {
    onDelete: strategy['type'] === 'OnDelete',
    partition: partition === undefined ? undefined : Math.max(0, partition),
  };
}

/** Whether all pods of a StatefulSet are said to be of one revision. */
export function isOneRevision(statefulSet: KubernetesObject): boolean {
  const { currentRevision, updateRevision } = record(statefulSet.status);
  return optionalText(currentRevision) === optionalText(updateRevision);
}

/** "1 of 3 pods", "0 of 1 pod". */
export function ofPods(part: number, whole: number): string {
  return `${part} of ${whole} ${whole === 1 ? 'pod' : 'pods'}`;
}

function counter(workload: KubernetesObject): (field: string) => number {
  const status = record(workload.status);
  return (field) => Math.max(0, integer(status[field]));
}
