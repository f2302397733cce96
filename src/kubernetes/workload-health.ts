import { condition, healthFrom, type Health } from './generic-health.ts';
import { integer, optionalInteger, record, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { healthy, progressing, standardHealth, type Check } from './standard-health.ts';
import {
  daemonSetCounts,
  isOneRevision,
  ofPods,
  replicaCounts,
  updateStrategy,
  type WorkloadCounts,
} from './workload-counts.ts';

/**
 * The health of workloads that run for ever, by kstatus (sigs.k8s.io/cli-utils/pkg/kstatus/status/core.go), with which
 * test/kubectl compares it. Conditions are found by type. Where a person would read the numbers otherwise, so does this:
 * - a Deployment that is paused is SUSPENDED once its pods are there, not PROGRESSING for ever;
 * - pods that cannot even be created (ReplicaFailure: quota, admission) are DEGRADED, not PROGRESSING;
 * - with the strategy OnDelete, old pods that nobody has deleted yet are no progress to wait for, but pods that are
 *   missing or not ready are.
 */

/** Kubernetes' way of saying that a Deployment has no progress deadline. */
const NO_DEADLINE = 2 ** 31 - 1;

export function deploymentHealth(deployment: KubernetesObject): Health {
  return (
    standardHealth(deployment) ??
    deadlineHealth(deployment) ??
    replicaFailure(deployment) ??
    (record(deployment.spec)['paused'] === true ? pausedHealth(deployment) : runningHealth(deployment))
  );
}

function runningHealth(deployment: KubernetesObject): Health {
  const counts = replicaCounts(deployment);
  return (
    progressing([
      lessReplicas(counts),
      lessUpdated(counts),
      extraPods(counts),
      [
        counts.updated > counts.available,
        'LessAvailable',
        `${ofPods(counts.available, counts.updated)} of the current template are available.`,
      ],
      lessReady(counts),
      [!hasFinished(deployment), 'ReplicaSetNotAvailable', 'The rollout has not been reported as finished yet.'],
      [
        condition(deployment, 'Available')?.['status'] !== 'True',
        'DeploymentNotAvailable',
        text(condition(deployment, 'Available')?.['message']) || 'Too few pods are available.',
      ],
    ]) ?? healthy(`${ofPods(counts.available, counts.wanted)} available.`)
  );
}

function pausedHealth(deployment: KubernetesObject): Health {
  const counts = replicaCounts(deployment);
  const waiting = progressing([lessReplicas(counts), lessReady(counts)]);
  const state = `${ofPods(counts.updated, counts.wanted)} of the current template`;
  return waiting ?? { level: 'SUSPENDED', reason: 'DeploymentPaused', message: `The rollout is paused: ${state}.` };
}

/** The Deployment's own clock: it gave up waiting for progress. */
function deadlineHealth(deployment: KubernetesObject): Health | undefined {
  const found = condition(deployment, 'Progressing');
  return found?.['reason'] === 'ProgressDeadlineExceeded' ? healthFrom('DEGRADED', found) : undefined;
}

/** Without a deadline the controller does not report progress, and there is nothing to wait for. */
function hasFinished(deployment: KubernetesObject): boolean {
  const deadline = optionalInteger(record(deployment.spec)['progressDeadlineSeconds']) ?? NO_DEADLINE;
  const found = condition(deployment, 'Progressing');
  return deadline === NO_DEADLINE || (found?.['status'] === 'True' && found['reason'] === 'NewReplicaSetAvailable');
}

export function replicaSetHealth(replicaSet: KubernetesObject): Health {
  const counts = replicaCounts(replicaSet);
  const labelled = integer(record(replicaSet.status)['fullyLabeledReplicas']);
  return (
    standardHealth(replicaSet) ??
    replicaFailure(replicaSet) ??
    progressing([
      [counts.wanted > labelled, 'LessLabelled', `${ofPods(labelled, counts.wanted)} with all labels.`],
      lessAvailable(counts),
      lessReady(counts),
      extraPods(counts),
    ]) ??
    healthy(`${ofPods(counts.available, counts.wanted)} available.`)
  );
}

export function statefulSetHealth(statefulSet: KubernetesObject): Health {
  const counts = replicaCounts(statefulSet);
  return (
    standardHealth(statefulSet) ??
    progressing([
      lessReplicas(counts),
      lessReady(counts),
      extraPods(counts),
      ...statefulSetUpdate(statefulSet, counts),
    ]) ??
    healthy(`${ofPods(counts.ready, counts.wanted)} ready.`)
  );
}

/** A StatefulSet at 0 has no `readyReplicas` and nothing to wait for: 0 of 0. */
function statefulSetUpdate(statefulSet: KubernetesObject, counts: WorkloadCounts): Check[] {
  const { onDelete, partition } = updateStrategy(statefulSet);
  if (onDelete) return [];
  if (partition !== undefined) {
    const due = Math.max(0, counts.wanted - partition);
    return [[counts.updated < due, 'PartitionRollout', `${ofPods(counts.updated, due)} above the partition updated.`]];
  }
  const current = integer(record(statefulSet.status)['currentReplicas']);
  return [
    [counts.wanted > current, 'LessCurrent', `${ofPods(current, counts.wanted)} of the current revision.`],
    [!isOneRevision(statefulSet), 'RevisionMismatch', 'The update to a new revision is not finished.'],
  ];
}

/** The controller always reports a generation and a number: without them it has not seen the DaemonSet. */
export function daemonSetHealth(daemonSet: KubernetesObject): Health {
  const counts = daemonSetCounts(daemonSet);
  const status = record(daemonSet.status);
  return (
    standardHealth(daemonSet) ??
    progressing([
      [isUnseen(daemonSet.metadata.generation), 'NoGeneration', 'The object has no generation.'],
      [isUnseen(status['observedGeneration']), 'NoObservedGeneration', 'The controller has not seen it yet.'],
      [isUnseen(status['desiredNumberScheduled']), 'NoDesiredNumber', 'The nodes have not been counted yet.'],
      [counts.wanted > counts.existing, 'LessCurrent', `${ofPods(counts.existing, counts.wanted)} exist.`],
      ...(updateStrategy(daemonSet).onDelete ? [] : [lessUpdated(counts)]),
      lessAvailable(counts),
      lessReady(counts),
    ]) ??
    healthy(`${ofPods(counts.available, counts.wanted)} available.`)
  );
}

function isUnseen(value: unknown): boolean {
  return optionalInteger(value) === undefined;
}

function replicaFailure(workload: KubernetesObject): Health | undefined {
  const found = condition(workload, 'ReplicaFailure');
  return found?.['status'] === 'True' ? healthFrom('DEGRADED', found) : undefined;
}

function lessReplicas({ wanted, existing }: WorkloadCounts): Check {
  return [wanted > existing, 'LessReplicas', `${ofPods(existing, wanted)} exist.`];
}

function lessUpdated({ wanted, updated }: WorkloadCounts): Check {
  return [wanted > updated, 'LessUpdated', `${ofPods(updated, wanted)} updated.`];
}

function lessAvailable({ wanted, available }: WorkloadCounts): Check {
  return [wanted > available, 'LessAvailable', `${ofPods(available, wanted)} available.`];
}

function lessReady({ wanted, ready }: WorkloadCounts): Check {
  return [wanted > ready, 'LessReady', `${ofPods(ready, wanted)} ready.`];
}

function extraPods({ wanted, existing }: WorkloadCounts): Check {
  return [existing > wanted, 'ExtraPods', `${existing} pods for ${wanted}: the others are still being removed.`];
}
