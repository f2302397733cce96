import type { KubernetesObject } from '../kubernetes/object.ts';
import { CRON_JOBS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { cronJobColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { BY_HEALTH, K8sWorkload } from './workload.ts';

const K8sCronJob = builder.objectRef<KubernetesObject>('K8sCronJob');
K8sCronJob.implement({
  description: 'A cron job, with the columns that `kubectl get cronjobs -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload],
  fields: (t) => ({
    schedule: t.string({
      description: "kubectl's SCHEDULE column: a crontab line.",
      resolve: (cronJob) => cronJobColumnsOf(cronJob).schedule,
    }),
    timeZone: t.string({
      nullable: true,
      description: "kubectl's TIMEZONE column. Null: that of the cluster's controller.",
      resolve: (cronJob) => cronJobColumnsOf(cronJob).timeZone,
    }),
    suspended: t.boolean({
      description: "kubectl's SUSPEND column: no new job is started.",
      resolve: (cronJob) => cronJobColumnsOf(cronJob).suspended,
    }),
    active: t.int({
      description: "kubectl's ACTIVE column: jobs that run now.",
      resolve: (cronJob) => cronJobColumnsOf(cronJob).active,
    }),
    lastScheduleAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: "kubectl's LAST SCHEDULE column as a time. Null when it never was.",
      resolve: (cronJob) => cronJobColumnsOf(cronJob).lastScheduleAt,
    }),
  }),
});

const CRON_JOBS_KIND: Kind = {
  resource: CRON_JOBS,
  typeName: 'K8sCronJob',
  one: 'k8sCronJob',
  noun: { one: 'cron job', many: 'cron jobs' },
  status: BY_HEALTH,
};

export function addCronJobs(): void {
  addCollection(CRON_JOBS_KIND, K8sCronJob);
}
