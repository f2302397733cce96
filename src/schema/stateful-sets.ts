import type { KubernetesObject } from '../kubernetes/object.ts';
import { STATEFUL_SETS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { statefulSetColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { K8sReady } from './pods.ts';
import { BY_HEALTH, K8sRollsOut, K8sWorkload } from './workload.ts';

const K8sStatefulSet = builder.objectRef<KubernetesObject>('K8sStatefulSet');
K8sStatefulSet.implement({
  description: 'A stateful set, with the columns that `kubectl get statefulsets -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload, K8sRollsOut],
  fields: (t) => ({
    ready: t.field({
      type: K8sReady,
      description: "kubectl's READY column: pods that are ready, of those asked for.",
      resolve: (set) => statefulSetColumnsOf(set).ready,
    }),
  }),
});

const STATEFUL_SETS_KIND: Kind = {
  resource: STATEFUL_SETS,
  typeName: 'K8sStatefulSet',
  one: 'k8sStatefulSet',
  noun: { one: 'stateful set', many: 'stateful sets' },
  status: BY_HEALTH,
};

export function addStatefulSets(): void {
  addCollection(STATEFUL_SETS_KIND, K8sStatefulSet);
}
