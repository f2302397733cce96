import type { KubernetesObject } from '../kubernetes/object.ts';
import { JOBS } from '../kubernetes/resources.ts';
import { jobDuration, type JobCompletions } from '../kubernetes/workload-columns.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { jobColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { K8sWorkload } from './workload.ts';

const K8sJobCompletions = builder.objectRef<JobCompletions>('K8sJobCompletions').implement({
  description: "kubectl's COMPLETIONS column as numbers.",
  fields: (t) => ({
    succeeded: t.exposeInt('succeeded', { description: 'Pods that have succeeded.' }),
    wanted: t.exposeInt('wanted', {
      nullable: true,
      description: 'How many have to. Null for a work queue, where the success of one ends it all.',
    }),
    parallelism: t.exposeInt('parallelism', { description: 'Pods that may run at the same time.' }),
    text: t.exposeString('text', { description: 'As kubectl prints it: `2/5`, `0/1 of 3`.' }),
  }),
});

const K8sJob = builder.objectRef<KubernetesObject>('K8sJob');
K8sJob.implement({
  description: 'A job, with the columns that `kubectl get jobs -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload],
  fields: (t) => ({
    displayStatus: t.string({
      description:
        "kubectl's STATUS column: Running, Complete, Failed, Suspended, Terminating, FailureTarget or SuccessCriteriaMet.",
      resolve: (job) => jobColumnsOf(job).status,
    }),
    completions: t.field({
      type: K8sJobCompletions,
      description: "kubectl's COMPLETIONS column.",
      resolve: (job) => jobColumnsOf(job).completions,
    }),
    duration: t.string({
      nullable: true,
      description: "kubectl's DURATION column at this moment: `12s`, `3m4s`. Null until it starts.",
      resolve: (job) => jobDuration(job),
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it started. Null until then, and while it is suspended.',
      resolve: (job) => jobColumnsOf(job).startedAt,
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it completed. Null until then; a failed one has none.',
      resolve: (job) => jobColumnsOf(job).completedAt,
    }),
  }),
});

const JOBS_KIND: Kind = {
  resource: JOBS,
  typeName: 'K8sJob',
  one: 'k8sJob',
  noun: { one: 'job', many: 'jobs' },
  status: { name: 'displayStatus', of: (job) => jobColumnsOf(job).status },
};

export function addJobs(): void {
  addCollection(JOBS_KIND, K8sJob);
}
