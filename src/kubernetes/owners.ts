import { records, text } from './json.ts';
import type { KubernetesObject } from './object.ts';

/** What manages an object, as the object says it. */
export interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
  /** In the namespace of the object, or cluster-wide: owners are never in another namespace. */
  readonly name: string;
  readonly uid: string;
}

/**
 * The owner that manages the object (the ReplicaSet of a pod, the Deployment of a ReplicaSet); undefined when nothing
 * does. It may be gone already. Source: GetControllerOf in k8s.io/apimachinery/pkg/apis/meta/v1.
 */
export function controllerOf(object: KubernetesObject): Controller | undefined {
  const owner = records(object.metadata.ownerReferences).find((each) => each['controller'] === true);
  if (owner === undefined) return undefined;
  return {
    apiVersion: text(owner['apiVersion']),
    kind: text(owner['kind']),
    name: text(owner['name']),
    uid: text(owner['uid']),
  };
}
