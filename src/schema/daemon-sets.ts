import type { KubernetesObject } from '../kubernetes/object.ts';
import { DAEMON_SETS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { daemonSetColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { BY_HEALTH, K8sRollsOut, K8sWorkload } from './workload.ts';

const K8sDaemonSet = builder.objectRef<KubernetesObject>('K8sDaemonSet');
K8sDaemonSet.implement({
  description: 'A daemon set, with the columns that `kubectl get daemonsets -o wide` prints.',
  interfaces: [K8sObject, K8sWorkload, K8sRollsOut],
  fields: (t) => ({
    desired: t.int({
      description: "kubectl's DESIRED column: nodes that should run a pod.",
      resolve: (set) => daemonSetColumnsOf(set).desired,
    }),
    current: t.int({
      description: "kubectl's CURRENT column: nodes that should run a pod and do.",
      resolve: (set) => daemonSetColumnsOf(set).current,
    }),
    ready: t.int({
      description: "kubectl's READY column: those of them whose pod is ready.",
      resolve: (set) => daemonSetColumnsOf(set).ready,
    }),
    upToDate: t.int({
      description: "kubectl's UP-TO-DATE column: those whose pod has the current template.",
      resolve: (set) => daemonSetColumnsOf(set).upToDate,
    }),
    available: t.int({
      description: "kubectl's AVAILABLE column: those whose pod has been ready for minReadySeconds.",
      resolve: (set) => daemonSetColumnsOf(set).available,
    }),
    nodeSelector: t.string({
      nullable: true,
      description: "kubectl's NODE SELECTOR column: `disk=ssd,zone=a`. Null when any node will do.",
      resolve: (set) => daemonSetColumnsOf(set).nodeSelector,
    }),
  }),
});

const DAEMON_SETS_KIND: Kind = {
  resource: DAEMON_SETS,
  typeName: 'K8sDaemonSet',
  one: 'k8sDaemonSet',
  noun: { one: 'daemon set', many: 'daemon sets' },
  status: BY_HEALTH,
};

export function addDaemonSets(): void {
  addCollection(DAEMON_SETS_KIND, K8sDaemonSet);
}
