import { condition, generationHealth } from './generic-health.ts';
import { integer, record, text } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { podHealth } from './pod-health.ts';
import { podReason } from './pod-reason.ts';
import type { Check } from './standard-health.ts';
import {
  daemonSetCounts,
  isOneRevision,
  ofPods,
  replicaCounts,
  updateStrategy,
  type WorkloadCounts,
} from './workload-counts.ts';

/**
 * COMPLETE: every pod that should has the current template and is available. PROGRESSING: under way. STALLED: it will
 * not go on by itself. PAUSED: it waits for a person, to resume it or (strategy OnDelete) to delete the old pods.
 */
export type RolloutVerdict = 'COMPLETE' | 'PROGRESSING' | 'STALLED' | 'PAUSED';

export interface Rollout extends Omit<WorkloadCounts, 'existing'> {
  readonly verdict: RolloutVerdict;
  /** One word for programs. */
  readonly reason: string;
  /** For a person. */
  readonly message: string;
  /** Pods that hold it up, by name; none once it is COMPLETE. */
  readonly blockedBy: readonly BlockingPod[];
}

export interface BlockingPod {
  readonly podName: string;
  /** `podReason`: one sentence. */
  readonly reason: string;
}

type Finding = Pick<Rollout, 'verdict' | 'reason' | 'message'>;

/**
 * How far a Deployment, StatefulSet or DaemonSet is with its current template; undefined for any other kind. `pods` are
 * the workload's own, chosen by the caller: for a Deployment those of its newest ReplicaSet, as old ones hold nothing up.
 * `now` is in milliseconds since 1970.
 *
 * COMPLETE is what `kubectl rollout status` calls done (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go), with
 * which test/kubectl compares it. STALLED is a Deployment past its deadline or unable to create pods; the other two have
 * no deadline, they are STALLED while one of `pods` is DEGRADED, since they wait for it before they go on.
 */
export function rollout(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[] = [],
  now: number = Date.now(),
): Rollout | undefined {
  const rules = RULES.get(`${workload.kind}.${workload.apiVersion.split('/', 1)[0]}`);
  if (rules === undefined) return undefined;
  const { existing: _existing, ...counts } = rules.counts(workload);
  const unseen = unobserved(workload);
  const waiting = unseen ?? firstUnmet(rules.checks(workload));
  if (waiting === undefined) {
    const message = `${ofPods(counts.updated, counts.wanted)} updated, ${counts.available} available.`;
    return { ...counts, verdict: 'COMPLETE', reason: 'Complete', message, blockedBy: [] };
  }
  const finding = unseen ?? rules.halted(workload, pods, now) ?? waiting;
  return { ...counts, ...finding, blockedBy: blockingPods(workload, pods, now) };
}

interface Rules {
  readonly counts: (workload: KubernetesObject) => WorkloadCounts;
  /** What must have come to pass, in order. */
  readonly checks: (workload: KubernetesObject) => readonly Check[];
  /** Why one that is not complete does not go on by itself. */
  readonly halted: (workload: KubernetesObject, pods: readonly KubernetesObject[], now: number) => Finding | undefined;
}

const RULES: ReadonlyMap<string, Rules> = new Map<string, Rules>([
  ['Deployment.apps', { counts: replicaCounts, checks: deploymentChecks, halted: deploymentHalt }],
  ['StatefulSet.apps', { counts: replicaCounts, checks: statefulSetChecks, halted: orderedHalt }],
  ['DaemonSet.apps', { counts: daemonSetCounts, checks: daemonSetChecks, halted: orderedHalt }],
]);

/**
 * A status of an older template says nothing of this one, not even that it is stalled. Unlike for the health, one that
 * does not say which it has seen does not count.
 */
function unobserved(workload: KubernetesObject): Finding | undefined {
  const behind = generationHealth(workload);
  const isSeen = integer(record(workload.status)['observedGeneration']) >= integer(workload.metadata.generation);
  if (isSeen && behind === undefined) return undefined;
  return {
    verdict: 'PROGRESSING',
    reason: 'GenerationNotObserved',
    message: behind?.message ?? 'The controller has not seen the current template yet.',
  };
}

function firstUnmet(checks: readonly Check[]): Finding | undefined {
  const unmet = checks.find(([fails]) => fails);
  return unmet && { verdict: 'PROGRESSING', reason: unmet[1], message: unmet[2] };
}

function deploymentChecks(deployment: KubernetesObject): Check[] {
  const { wanted, existing, updated, available } = replicaCounts(deployment);
  const deadline = deadlineMessage(deployment);
  return [
    [deadline !== undefined, 'ProgressDeadlineExceeded', deadline ?? ''],
    [updated < wanted, 'LessUpdated', `${ofPods(updated, wanted)} updated.`],
    [existing > updated, 'OldPods', `${ofPods(existing - updated, existing)} still to be removed.`],
    [available < updated, 'LessAvailable', `${ofPods(available, updated)} of the current template are available.`],
  ];
}

function deploymentHalt(deployment: KubernetesObject): Finding | undefined {
  const deadline = deadlineMessage(deployment);
  if (deadline !== undefined) return { verdict: 'STALLED', reason: 'ProgressDeadlineExceeded', message: deadline };
  const failure = condition(deployment, 'ReplicaFailure');
  if (failure?.['status'] === 'True') {
    const reason = text(failure['reason']) || 'ReplicaFailure';
    return { verdict: 'STALLED', reason, message: text(failure['message']) || 'Pods cannot be created.' };
  }
  if (record(deployment.spec)['paused'] !== true) return undefined;
  return { verdict: 'PAUSED', reason: 'DeploymentPaused', message: 'The rollout is paused.' };
}

function deadlineMessage(deployment: KubernetesObject): string | undefined {
  const found = condition(deployment, 'Progressing');
  if (found?.['reason'] !== 'ProgressDeadlineExceeded') return undefined;
  return text(found['message']) || 'There was no progress within the deadline.';
}

/** Pods below the partition keep their template. Without a partition the controller says when all is done. */
function statefulSetChecks(statefulSet: KubernetesObject): Check[] {
  const { wanted, updated, ready } = replicaCounts(statefulSet);
  const { onDelete, partition } = updateStrategy(statefulSet);
  const due = Math.max(0, wanted - (partition ?? 0));
  return [
    [ready < wanted, 'LessReady', `${ofPods(ready, wanted)} ready.`],
    [updated < due, 'LessUpdated', `${ofPods(updated, due)} updated.`],
    [
      partition === undefined && !onDelete && !isOneRevision(statefulSet),
      'RevisionMismatch',
      'The update to a new revision is not finished.',
    ],
  ];
}

function daemonSetChecks(daemonSet: KubernetesObject): Check[] {
  const { wanted, updated, available } = daemonSetCounts(daemonSet);
  return [
    [updated < wanted, 'LessUpdated', `${ofPods(updated, wanted)} updated.`],
    [available < wanted, 'LessAvailable', `${ofPods(available, wanted)} available.`],
  ];
}

/** Of a StatefulSet or a DaemonSet: a broken pod comes first, since deleting old ones would not help it. */
function orderedHalt(workload: KubernetesObject, pods: readonly KubernetesObject[], now: number): Finding | undefined {
  const broken = pods.filter((pod) => podHealth(pod).level === 'DEGRADED');
  const [first] = blockingPods(workload, broken, now);
  if (first !== undefined) {
    return { verdict: 'STALLED', reason: 'PodsFailing', message: `Pod "${first.podName}": ${first.reason}` };
  }
  if (!updateStrategy(workload).onDelete) return undefined;
  const counts = workload.kind === 'DaemonSet' ? daemonSetCounts(workload) : replicaCounts(workload);
  if (counts.updated >= counts.wanted) return undefined;
  const message = `${ofPods(counts.updated, counts.wanted)} updated; the others are once somebody deletes them.`;
  return { verdict: 'PAUSED', reason: 'OnDelete', message };
}

/** A Deployment does not wait for a pod that is being deleted; the other two need its place. */
function blockingPods(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
  now: number,
): readonly BlockingPod[] {
  return pods
    .filter((pod) => workload.kind !== 'Deployment' || !pod.metadata.deletionTimestamp)
    .map((pod) => ({ podName: pod.metadata.name, reason: podReason(pod, now) }))
    .filter((each): each is BlockingPod => each.reason !== undefined)
    .toSorted((a, b) => a.podName.localeCompare(b.podName, 'en', { numeric: true }));
}
