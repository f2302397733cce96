import { claimHealth } from './claim-health.ts';
import { definitionHealth } from './definition-health.ts';
import { fluxHealth } from './flux-sync.ts';
import { deletionHealth, genericHealth, type Health } from './generic-health.ts';
import { cronJobHealth, jobHealth } from './job-health.ts';
import { record } from './json.ts';
import type { KubernetesObject } from './object.ts';
import { podHealth } from './pod-health.ts';
import { FLUX_RESOURCES } from './resources.ts';
import { loadBalancerAddresses } from './service-columns.ts';
import { daemonSetHealth, deploymentHealth, replicaSetHealth, statefulSetHealth } from './workload-health.ts';

export type { Health, HealthLevel } from './generic-health.ts';

/** Kinds with rules of their own, by `Kind` in the core group and `Kind.group` elsewhere. Add a line for another one. */
const RULES: ReadonlyMap<string, (object: KubernetesObject) => Health> = new Map([
  ['Pod', podHealth],
  ['Service', serviceHealth],
  ['Namespace', namespaceHealth],
  ['PersistentVolumeClaim', claimHealth],
  ['Deployment.apps', deploymentHealth],
  ['StatefulSet.apps', statefulSetHealth],
  ['ReplicaSet.apps', replicaSetHealth],
  ['DaemonSet.apps', daemonSetHealth],
  ['Job.batch', jobHealth],
  ['CronJob.batch', cronJobHealth],
  ['CustomResourceDefinition.apiextensions.k8s.io', definitionHealth],
  ...FLUX_RESOURCES.map(({ group, kind }) => [`${kind}.${group}`, fluxHealth] as const),
]);

/** How an object is doing, by the rules of its kind or else by the generic ones. Never throws. */
export function health(object: KubernetesObject): Health {
  const rule = RULES.get(groupKind(object)) ?? genericHealth;
  return rule(object);
}

/** "Deployment.apps" for apps/v1 Deployment; the version does not matter. */
function groupKind(object: KubernetesObject): string {
  const slash = object.apiVersion.indexOf('/');
  return slash === -1 ? object.kind : `${object.kind}.${object.apiVersion.slice(0, slash)}`;
}

function serviceHealth(service: KubernetesObject): Health {
  if (record(service.spec)['type'] !== 'LoadBalancer' || loadBalancerAddresses(service).length > 0) {
    return genericHealth(service);
  }
  return (
    deletionHealth(service) ?? {
      level: 'PROGRESSING',
      reason: 'LoadBalancerPending',
      message: 'The load balancer has no address yet.',
    }
  );
}

function namespaceHealth(namespace: KubernetesObject): Health {
  if (record(namespace.status)['phase'] === 'Terminating') {
    return { level: 'PROGRESSING', reason: 'Terminating', message: 'The namespace is being deleted.' };
  }
  return genericHealth(namespace);
}
