import { conditionsOf } from '../kubernetes/conditions.ts';
import { fluxRevisions, fluxSuspension } from '../kubernetes/flux.ts';
import { fluxSync } from '../kubernetes/flux-sync.ts';
import { health } from '../kubernetes/health.ts';
import { helmHistory } from '../kubernetes/helm-release.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podColumns } from '../kubernetes/pod-columns.ts';
import { podContainers } from '../kubernetes/pod-containers.ts';
import { podReason } from '../kubernetes/pod-reason.ts';
import { serviceColumns } from '../kubernetes/service-columns.ts';
import {
  cronJobColumns,
  daemonSetColumns,
  deploymentColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from '../kubernetes/workload-columns.ts';

/**
 * Objects never change, a change is a new object: what is derived from one is computed once, however many fields,
 * filters, orders and viewers ask for it, and goes when the object goes.
 */
function oncePerObject<Value>(
  compute: (object: KubernetesObject) => Value,
  isLasting: (object: KubernetesObject) => boolean = () => true,
): (object: KubernetesObject) => Value {
  const known = new WeakMap<KubernetesObject, { readonly value: Value }>();
  return (object) => {
    const hit = known.get(object);
    if (hit !== undefined) return hit.value;
    const value = compute(object);
    if (isLasting(object)) known.set(object, { value });
    return value;
  };
}

/** What is said of an object that is being deleted depends on how long that takes. */
function isStaying(object: KubernetesObject): boolean {
  return object.metadata.deletionTimestamp === undefined;
}

export const healthOf = oncePerObject(health, isStaying);
export const podReasonOf = oncePerObject(podReason, isStaying);
export const podColumnsOf = oncePerObject(podColumns);
export const podContainersOf = oncePerObject(podContainers);
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
