import type { KubernetesObject } from '../kubernetes/object.ts';
import { podColumns, type PodColumns } from '../kubernetes/pod-columns.ts';
import { podContainers } from '../kubernetes/pod-containers.ts';
import { podReasonNow } from '../kubernetes/pod-reason.ts';
import { PODS } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { addCollection } from './collection.ts';
import { K8sContainer } from './containers.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { VIEWER_DEPENDENT } from './related.ts';
import { servicesOf, topOwner } from './relations.ts';
import { addPodsToServices, K8sService } from './services.ts';

export const K8sReady = builder.objectRef<PodColumns['ready']>('K8sReady').implement({
  description: "kubectl's READY column as numbers.",
  fields: (t) => ({
    ready: t.exposeInt('ready', { description: 'Containers that are ready.' }),
    total: t.exposeInt('total', { description: 'Containers that should be: the regular ones and the sidecars.' }),
  }),
});

export const K8sPod = builder.objectRef<KubernetesObject>('K8sPod');
K8sPod.implement({
  description: 'A pod, with the columns that `kubectl get pods` prints.',
  interfaces: [K8sObject],
  fields: (t) => ({
    phase: t.string({
      description: 'status.phase: Pending, Running, Succeeded, Failed or Unknown.',
      resolve: (pod) => podColumns(pod).phase,
    }),
    displayStatus: t.string({
      description: "kubectl's STATUS column: Running, CrashLoopBackOff, Init:1/2, Terminating, Completed …",
      resolve: (pod) => podColumns(pod).displayStatus,
    }),
    ready: t.field({
      type: K8sReady,
      description: "kubectl's READY column.",
      resolve: (pod) => podColumns(pod).ready,
    }),
    restarts: t.int({
      description: "kubectl's RESTARTS column: how often containers were restarted.",
      resolve: (pod) => podColumns(pod).restarts,
    }),
    lastRestartAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a container last ended before a restart. Null when none was restarted.',
      resolve: (pod) => podColumns(pod).lastRestartAt,
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it is not healthy, in one sentence. Null when nothing is wrong.',
      resolve: podReasonNow,
    }),
    nodeName: t.string({
      nullable: true,
      description: 'The node it runs on (spec.nodeName). Null while it is not scheduled.',
      resolve: (pod) => podColumns(pod).nodeName,
    }),
    podIP: t.string({
      nullable: true,
      description: 'Its address in the cluster (status.podIP). Null while it has none.',
      resolve: (pod) => podColumns(pod).podIP,
    }),
    containers: t.field({
      type: [K8sContainer],
      description: 'Its containers in the order of the spec: init containers and sidecars, regular, ephemeral.',
      resolve: podContainers,
    }),
    owner: t.field({
      type: K8sObject,
      nullable: true,
      description:
        'What it belongs to in the end: not its ReplicaSet but the Deployment above it, not its Job but the CronJob. Null when nothing controls it, or when you may not list and watch what does. In a subscription, only if that is watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: (pod, _args, context, info) => topOwner(pod, context, info),
    }),
    services: t.field({
      type: [K8sService],
      description:
        'The services that select it; [] when there are none, or when you may not list and watch services. In a subscription, only if those are watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: (pod, _args, context, info) => servicesOf(pod, context, info),
    }),
  }),
});

const PODS_KIND: Kind = {
  resource: PODS,
  typeName: 'K8sPod',
  one: 'k8sPod',
  noun: { one: 'pod', many: 'pods' },
  status: { name: 'displayStatus', of: (pod) => podColumns(pod).displayStatus },
  restarts: (pod) => podColumns(pod).restarts,
};

export function addPods(): void {
  addCollection(PODS_KIND, K8sPod);
  addPodsToServices(K8sPod);
}
