import type { ApiServer } from '../apiserver/index.ts';
import type { NewObject } from '../apiserver/object.ts';
import { Dice } from './dice.ts';
import { EventRecorder } from './events.ts';
import { runFlux } from './flux.ts';
import { runIncidents } from './incidents.ts';
import { runJobs, startJob } from './jobs.ts';
import { Kubelet } from './kubelet.ts';
import { Pace } from './pace.ts';
import { runWorkloads } from './workloads.ts';
import type { World } from './world.ts';

export { Dice } from './dice.ts';
export { production, staging } from './manifests.ts';

export interface ClusterOptions {
  /** The same seed gives the same sequence of incidents. */
  readonly seed?: number;
  /** 1 is a real cluster's pace, 20 is good for tests. */
  readonly speed?: number;
  /** Let things go wrong by themselves; true when left out. */
  readonly incidents?: boolean;
}

/** Controllers in miniature on an API server: from now on, what is applied comes alive. */
export function startCluster(
  api: ApiServer,
  manifests: readonly NewObject[],
  options: ClusterOptions = {},
): { stop(): void } {
  const { seed = 1, speed = 1, incidents = true } = options;
  const { store, logs } = api;
  const pace = new Pace(store.clock, speed);
  const world: World = { store, logs, pace, dice: new Dice(seed), events: new EventRecorder(store) };
  const kubelet = new Kubelet(world);
  runWorkloads(world);
  runJobs(world);
  runFlux(world);
  for (const manifest of manifests) store.create(manifest);
  for (const cronJob of store.list('cronjobs')) startJob(world, cronJob);
  if (incidents) runIncidents(world, kubelet);
  return { stop: () => pace.stop() };
}
