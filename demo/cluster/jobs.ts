import type { ApiObject } from '../apiserver/object.ts';
import { containerSpec } from '../apiserver/pod-parts.ts';
import { condition, ownedBy, ownerOf, ownerReference } from './owners.ts';
import { Workqueue } from './workqueue.ts';
import { createPod } from './workloads.ts';
import type { World } from './world.ts';

const KEPT_JOBS = 3;

/** CronJobs start Jobs, Jobs run one pod to its end. */
export function runJobs(world: World): void {
  const { store, pace } = world;
  const jobs = new Workqueue(pace, 200, (namespace, name) => reconcileJob(world, namespace, name));
  store.subscribe('jobs', ({ object }) => jobs.add(object.metadata.namespace ?? '', object.metadata.name));
  store.subscribe('pods', ({ object }) => {
    const owner = ownerOf(object, 'Job');
    if (owner) jobs.add(object.metadata.namespace ?? '', owner.name);
  });
  pace.every(
    () => 60_000,
    () => {
      for (const cronJob of store.list('cronjobs')) if (cronJob.spec?.['suspend'] !== true) startJob(world, cronJob);
    },
  );
}

export function startJob(world: World, cronJob: ApiObject): void {
  const { store } = world;
  const { name, namespace = '' } = cronJob.metadata;
  const labels = { 'app.kubernetes.io/name': name };
  const job = store.create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name}-${store.clock.now()}`,
      namespace,
      labels,
      ownerReferences: [ownerReference(cronJob)],
    },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      template: {
        metadata: { labels },
        spec: { restartPolicy: 'Never', containers: [containerSpec({ name: 'report' })] },
      },
    },
    status: {},
  });
  const now = store.timestamp();
  store.patch('cronjobs', namespace, name, { status: { lastScheduleTime: now } });
  world.events.normal(cronJob, 'SuccessfulCreate', `Created job ${job.metadata.name}`, 'cronjob-controller');
  const own = ownedBy(store.list('jobs', namespace), cronJob);
  for (const old of own.slice(0, -KEPT_JOBS)) {
    for (const pod of ownedBy(store.list('pods', namespace), old)) store.delete('pods', namespace, pod.metadata.name);
    store.delete('jobs', namespace, old.metadata.name);
  }
}

function reconcileJob(world: World, namespace: string, name: string): void {
  const { store, events } = world;
  const job = store.get('jobs', namespace, name);
  if (!job || job.status?.['completionTime'] !== undefined) return;
  const pods = ownedBy(store.list('pods', namespace), job);
  const now = store.timestamp();
  if (pods.length === 0) {
    createPod(world, job);
    store.patch('jobs', namespace, name, { status: { startTime: now, active: 1, ready: 0 } });
    return;
  }
  if (!pods.some((pod) => pod.status?.['phase'] === 'Succeeded')) return;
  const conditions = [
    condition('Complete', true, 'CompletionsReached', 'Reached expected number of succeeded pods', now),
  ];
  store.patch('jobs', namespace, name, {
    status: { active: null, ready: null, succeeded: 1, completionTime: now, conditions },
  });
  events.normal(job, 'Completed', 'Job completed', 'job-controller');
}
