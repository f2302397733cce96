import { condition, healthFrom, type Health } from './generic-health.ts';
import { integer, list, record, text } from './json.ts';
import { jobStatus } from './job-status.ts';
import type { KubernetesObject } from './object.ts';
import { healthy, standardHealth } from './standard-health.ts';

/**
 * A Job is HEALTHY while it runs and when it has completed, PROGRESSING until it starts, DEGRADED when it has failed.
 * Source: kstatus, with which test/kubectl compares it. Unlike there, one that is suspended is SUSPENDED instead of
 * never started, and one whose failure is decided is DEGRADED while its last pods end.
 */
export function jobHealth(job: KubernetesObject): Health {
  return standardHealth(job) ?? unfinished(job);
}

/** A CronJob is HEALTHY whatever its jobs do, SUSPENDED when it starts none. */
export function cronJobHealth(cronJob: KubernetesObject): Health {
  return standardHealth(cronJob) ?? schedule(cronJob);
}

function unfinished(job: KubernetesObject): Health {
  const status = jobStatus(job);
  switch (status) {
    case 'Complete':
      return healthFrom('HEALTHY', { reason: status, message: counts(job) });
    case 'Failed':
    case 'FailureTarget':
      return healthFrom('DEGRADED', condition(job, status) ?? { reason: status });
    case 'Suspended':
      return { level: 'SUSPENDED', reason: status, message: text(condition(job, status)?.['message']) || 'Suspended.' };
    default:
      if (record(job.spec)['suspend'] === true) {
        return { level: 'SUSPENDED', reason: 'Suspended', message: 'It is about to be suspended.' };
      }
      if (text(record(job.status)['startTime']) === '') {
        return { level: 'PROGRESSING', reason: 'JobNotStarted', message: 'The job has not started yet.' };
      }
      return healthFrom('HEALTHY', { reason: status, message: counts(job) });
  }
}

function counts(job: KubernetesObject): string {
  const { succeeded, active, failed } = record(job.status);
  return `Pods: ${integer(active)} active, ${integer(succeeded)} succeeded, ${integer(failed)} failed.`;
}

function schedule(cronJob: KubernetesObject): Health {
  if (record(cronJob.spec)['suspend'] === true) {
    return { level: 'SUSPENDED', reason: 'Suspended', message: 'No jobs are started while it is suspended.' };
  }
  const active = list(record(cronJob.status)['active']).length;
  return healthy(active === 1 ? '1 job is active.' : `${active} jobs are active.`);
}
