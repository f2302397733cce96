import { condition } from './generic-health.ts';
import type { KubernetesObject } from './object.ts';

/** kubectl's STATUS column of a Job. FailureTarget and SuccessCriteriaMet: decided, its last pods are still ending. */
export type JobStatus =
  | 'Complete'
  | 'Failed'
  | 'Terminating'
  | 'Suspended'
  | 'FailureTarget'
  | 'SuccessCriteriaMet'
  | 'Running';

/**
 * Running is also what has not started yet. Source: printJob in Kubernetes' pkg/printers/internalversion/printers.go,
 * with which test/kubectl compares it.
 */
export function jobStatus(job: KubernetesObject): JobStatus {
  const holds = (type: JobStatus) => condition(job, type)?.['status'] === 'True';
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  return DECIDED.find(holds) ?? 'Running';
}

const DECIDED: readonly JobStatus[] = ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'];
