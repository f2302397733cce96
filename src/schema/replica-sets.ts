import type { KubernetesObject } from '../kubernetes/object.ts';
import { REPLICA_SETS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { replicaSetColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { BY_HEALTH, K8sWorkload } from './workload.ts';

const K8sReplicaSet = builder.objectRef<KubernetesObject>('K8sReplicaSet');
K8sReplicaSet.implement({
  description: 'A replica set, with the columns that `kubectl get replicasets -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload],
  fields: (t) => ({
    desired: t.int({
      description: "kubectl's DESIRED column: pods asked for.",
      resolve: (set) => replicaSetColumnsOf(set).desired,
    }),
    current: t.int({
      description: "kubectl's CURRENT column: pods that exist.",
      resolve: (set) => replicaSetColumnsOf(set).current,
    }),
    ready: t.int({
      description: "kubectl's READY column: pods that are ready.",
      resolve: (set) => replicaSetColumnsOf(set).ready,
    }),
  }),
});

const REPLICA_SETS_KIND: Kind = {
  resource: REPLICA_SETS,
  typeName: 'K8sReplicaSet',
  one: 'k8sReplicaSet',
  noun: { one: 'replica set', many: 'replica sets' },
  status: BY_HEALTH,
};

export function addReplicaSets(): void {
  addCollection(REPLICA_SETS_KIND, K8sReplicaSet);
}
