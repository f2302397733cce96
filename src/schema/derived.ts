import { health } from '../kubernetes/health.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podColumns } from '../kubernetes/pod-columns.ts';
import { podContainers } from '../kubernetes/pod-containers.ts';
import { podReason } from '../kubernetes/pod-reason.ts';
import { serviceColumns } from '../kubernetes/service-columns.ts';

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
