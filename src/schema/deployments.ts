import type { KubernetesObject } from '../kubernetes/object.ts';
import { DEPLOYMENTS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { deploymentColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { K8sReady } from './pods.ts';
import { BY_HEALTH, K8sRollsOut, K8sWorkload } from './workload.ts';

const K8sDeployment = builder.objectRef<KubernetesObject>('K8sDeployment');
K8sDeployment.implement({
  description: 'A deployment, with the columns that `kubectl get deployments -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload, K8sRollsOut],
  fields: (t) => ({
    ready: t.field({
      type: K8sReady,
      description: "kubectl's READY column: pods that are ready, of those asked for.",
      resolve: (deployment) => deploymentColumnsOf(deployment).ready,
    }),
    upToDate: t.int({
      description: "kubectl's UP-TO-DATE column: pods of the current template.",
      resolve: (deployment) => deploymentColumnsOf(deployment).upToDate,
    }),
    available: t.int({
      description: "kubectl's AVAILABLE column: pods that have been ready for minReadySeconds.",
      resolve: (deployment) => deploymentColumnsOf(deployment).available,
    }),
  }),
});

const DEPLOYMENTS_KIND: Kind = {
  resource: DEPLOYMENTS,
  typeName: 'K8sDeployment',
  one: 'k8sDeployment',
  noun: { one: 'deployment', many: 'deployments' },
  status: BY_HEALTH,
};

export function addDeployments(): void {
  addCollection(DEPLOYMENTS_KIND, K8sDeployment);
}
