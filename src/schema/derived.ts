import { conditionsOf } from '../kubernetes/conditions.ts';
import { fluxRevisions, fluxSuspension } from '../kubernetes/flux.ts';
import { fluxSync } from '../kubernetes/flux-sync.ts';
import { health } from '../kubernetes/health.ts';
import { helmHistory } from '../kubernetes/helm-release.ts';
import { isStaying, oncePerObject } from '../kubernetes/once-per-object.ts';
import { serviceColumns } from '../kubernetes/service-columns.ts';
import {
  cronJobColumns,
  daemonSetColumns,
  deploymentColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from '../kubernetes/workload-columns.ts';

/** What is derived from objects, computed once for each. */
export const healthOf = oncePerObject(health, isStaying);
export const serviceColumnsOf = oncePerObject(serviceColumns);
export const deploymentColumnsOf = oncePerObject(deploymentColumns);
export const statefulSetColumnsOf = oncePerObject(statefulSetColumns);
export const replicaSetColumnsOf = oncePerObject(replicaSetColumns);
export const daemonSetColumnsOf = oncePerObject(daemonSetColumns);
export const jobColumnsOf = oncePerObject(jobColumns);
export const cronJobColumnsOf = oncePerObject(cronJobColumns);
export const conditionsOfObject = oncePerObject(conditionsOf);
export const fluxSyncOf = oncePerObject(fluxSync);
export const fluxSuspensionOf = oncePerObject(fluxSuspension);
export const fluxRevisionsOf = oncePerObject(fluxRevisions);
export const helmHistoryOf = oncePerObject(helmHistory);
