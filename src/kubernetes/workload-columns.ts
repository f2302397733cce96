import { humanDuration } from './human-duration.ts';
import { integer, list, optionalInteger, optionalText, record, records, text } from './json.ts';
import { jobStatus, type JobStatus } from './job-status.ts';
import { formatLabelSelector } from './label-selector.ts';
import type { KubernetesObject } from './object.ts';
import { milliseconds, timestamp } from './timestamp.ts';
import { daemonSetCounts, replicaCounts } from './workload-counts.ts';

/**
 * The columns of `kubectl get deployments`, `statefulsets` and so on, with those of `-o wide`. They never throw, whatever
 * `spec` and `status` hold; where the API server would have filled in a default, so do they.
 * Source: Kubernetes' pkg/printers/internalversion/printers.go, with which test/kubectl compares them.
 */

/** The columns that all of them have. */
export interface TemplateColumns {
  /** Names of the regular containers of the template. */
  readonly containers: readonly string[];
  readonly images: readonly string[];
  /** "app=web,tier in (a,b)"; undefined when it is missing or empty. kubectl prints none for a StatefulSet. */
  readonly selector: string | undefined;
}

export interface DeploymentColumns extends TemplateColumns {
  readonly ready: { readonly ready: number; readonly total: number };
  readonly upToDate: number;
  readonly available: number;
}

export interface StatefulSetColumns extends TemplateColumns {
  readonly ready: { readonly ready: number; readonly total: number };
}

export interface ReplicaSetColumns extends TemplateColumns {
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
}

export interface DaemonSetColumns extends TemplateColumns {
  readonly desired: number;
  readonly current: number;
  readonly ready: number;
  readonly upToDate: number;
  readonly available: number;
  /** "disk=ssd,zone=a"; undefined when any node will do. */
  readonly nodeSelector: string | undefined;
}

export interface JobColumns extends TemplateColumns {
  readonly status: JobStatus;
  readonly completions: JobCompletions;
  /** RFC 3339; undefined until it starts, and while it is suspended. */
  readonly startedAt: string | undefined;
  /** RFC 3339; of a Job that has completed. A failed one has none, and kubectl lets its DURATION run on. */
  readonly completedAt: string | undefined;
}

export interface JobCompletions {
  readonly succeeded: number;
  /** Undefined for a work queue, where the success of one pod ends it all. */
  readonly wanted: number | undefined;
  readonly parallelism: number;
  /** As kubectl prints it: "2/5", and for a work queue of 3 pods "0/1 of 3". */
  readonly text: string;
}

export interface CronJobColumns extends TemplateColumns {
  readonly schedule: string;
  /** Undefined: that of the controller. */
  readonly timeZone: string | undefined;
  readonly suspended: boolean;
  /** Jobs that run now. */
  readonly active: number;
  /** RFC 3339; undefined when it never was. */
  readonly lastScheduleAt: string | undefined;
}

export function deploymentColumns(deployment: KubernetesObject): DeploymentColumns {
  const { ready, wanted, updated, available } = replicaCounts(deployment);
  return { ready: { ready, total: wanted }, upToDate: updated, available, ...templateColumns(deployment.spec) };
}

export function statefulSetColumns(statefulSet: KubernetesObject): StatefulSetColumns {
  const { ready, wanted } = replicaCounts(statefulSet);
  return { ready: { ready, total: wanted }, ...templateColumns(statefulSet.spec) };
}

export function replicaSetColumns(replicaSet: KubernetesObject): ReplicaSetColumns {
  const { wanted, existing, ready } = replicaCounts(replicaSet);
  return { desired: wanted, current: existing, ready, ...templateColumns(replicaSet.spec) };
}

export function daemonSetColumns(daemonSet: KubernetesObject): DaemonSetColumns {
  const { wanted, existing, ready, updated, available } = daemonSetCounts(daemonSet);
  return {
    desired: wanted,
    current: existing,
    ready,
    upToDate: updated,
    available,
    nodeSelector: formatLabels(podSpec(daemonSet.spec)['nodeSelector']),
    ...templateColumns(daemonSet.spec),
  };
}

export function jobColumns(job: KubernetesObject): JobColumns {
  const status = record(job.status);
  return {
    status: jobStatus(job),
    completions: jobCompletions(job),
    startedAt: timestamp(status['startTime']),
    completedAt: timestamp(status['completionTime']),
    ...templateColumns(job.spec),
  };
}

/** kubectl's DURATION: "12s", "3m4s"; undefined until the Job starts. `now` is in milliseconds since 1970. */
export function jobDuration(job: KubernetesObject, now: number = Date.now()): string | undefined {
  const { startTime, completionTime } = record(job.status);
  const start = milliseconds(startTime);
  return start === undefined ? undefined : humanDuration((milliseconds(completionTime) ?? now) - start);
}

export function cronJobColumns(cronJob: KubernetesObject): CronJobColumns {
  const spec = record(cronJob.spec);
  const status = record(cronJob.status);
  return {
    schedule: text(spec['schedule']),
    timeZone: optionalText(spec['timeZone']),
    suspended: spec['suspend'] === true,
    active: list(status['active']).length,
    lastScheduleAt: timestamp(status['lastScheduleTime']),
    ...templateColumns(record(spec['jobTemplate'])['spec']),
  };
}

/** Without `completions` and `parallelism` both are 1; with `parallelism` alone the Job is a work queue. */
function jobCompletions(job: KubernetesObject): JobCompletions {
  const spec = record(job.spec);
  const given = optionalInteger(spec['parallelism']);
  const parallelism = Math.max(0, given ?? 1);
  const wanted = optionalInteger(spec['completions']) ?? (given === undefined ? 1 : undefined);
  const succeeded = Math.max(0, integer(record(job.status)['succeeded']));
  const queue = parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
  return { succeeded, wanted, parallelism, text: wanted === undefined ? queue : `${succeeded}/${wanted}` };
}

export function templateColumns(spec: unknown): TemplateColumns {
  const containers = records(podSpec(spec)['containers']);
  return {
    containers: containers.map((each) => text(each['name'])),
    images: containers.map((each) => text(each['image'])),
    selector: formatLabelSelector(record(spec)['selector']),
  };
}

function podSpec(spec: unknown): Readonly<Record<string, unknown>> {
  return record(record(record(spec)['template'])['spec']);
}

function formatLabels(labels: unknown): string | undefined {
  const pairs = Object.entries(record(labels)).map(([key, value]) => `${key}=${text(value)}`);
  return pairs.toSorted().join(',') || undefined;
}
