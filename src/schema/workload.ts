import type { KubernetesObject } from '../kubernetes/object.ts';
import { record } from '../kubernetes/json.ts';
import { rollout, type BlockingPod, type Rollout } from '../kubernetes/rollout.ts';
import { templateColumns } from '../kubernetes/workload-columns.ts';
import { builder } from './builder.ts';
import { conditionsOfObject, healthOf } from './derived.ts';
import { K8sCondition } from './conditions.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { K8sPod } from './pods.ts';
import { VIEWER_DEPENDENT } from './related.ts';
import { currentPodsOf, podsOf } from './relations.ts';

/** What a CronJob runs is one level deeper. */
function columnsOf(workload: KubernetesObject) {
  return templateColumns(
    workload.kind === 'CronJob' ? record(record(workload.spec)['jobTemplate'])['spec'] : workload.spec,
  );
}

/** What everything that runs pods has. */
export const K8sWorkload = builder.interfaceRef<KubernetesObject>('K8sWorkload');
K8sWorkload.implement({
  description: 'Something that runs pods from a template.',
  interfaces: [K8sObject],
  fields: (t) => ({
    containerNames: t.stringList({
      description: "The names of its template's containers, without init containers. kubectl's CONTAINERS column.",
      resolve: (workload) => columnsOf(workload).containers,
    }),
    images: t.stringList({
      description: "The images of those containers, in the same order. kubectl's IMAGES column.",
      resolve: (workload) => columnsOf(workload).images,
    }),
    selector: t.string({
      nullable: true,
      description: 'Which pods are its own, as kubectl prints it: `app=web,tier in (a,b)`. Null when there is none.',
      resolve: (workload) => columnsOf(workload).selector,
    }),
    conditions: t.field({
      type: [K8sCondition],
      description: 'status.conditions, in their order; look for the type, never for the place.',
      resolve: conditionsOfObject,
    }),
    pods: t.field({
      type: [K8sPod],
      description:
        'The pods that it controls, by way of its ReplicaSets or Jobs, by name; [] when there are none, or when you may not list and watch them and what lies between. In a subscription, only if those are watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: (workload, _args, context, info) => podsOf(workload, context, info),
    }),
  }),
});

const K8sRolloutVerdict = builder.enumType('K8sRolloutVerdict', {
  description: 'How a rollout goes.',
  values: {
    COMPLETE: { description: 'Every pod that should has the current template and is available.' },
    PROGRESSING: { description: 'It is under way.' },
    STALLED: { description: 'It will not go on by itself.' },
    PAUSED: { description: 'It waits for a person: to resume it, or to delete old pods (strategy OnDelete).' },
  },
});

const K8sBlockingPod = builder.objectRef<BlockingPod>('K8sBlockingPod').implement({
  description: 'A pod that holds a rollout up.',
  fields: (t) => ({
    podName: t.exposeString('podName', { description: 'Its name.' }),
    reason: t.exposeString('reason', { description: 'What is wrong with it, in one sentence.' }),
  }),
});

const K8sRollout = builder.objectRef<Rollout>('K8sRollout').implement({
  description: 'How far a workload is with its current template.',
  fields: (t) => ({
    wanted: t.exposeInt('wanted', { description: 'Pods asked for; of a DaemonSet, nodes that should run one.' }),
    updated: t.exposeInt('updated', { description: 'Pods of the current template.' }),
    ready: t.exposeInt('ready', { description: 'Pods that are ready.' }),
    available: t.exposeInt('available', { description: 'Pods that have been ready for minReadySeconds.' }),
    verdict: t.expose('verdict', { type: K8sRolloutVerdict, description: 'How it goes, in one word.' }),
    reason: t.exposeString('reason', { description: 'One word for programs, such as ProgressDeadlineExceeded.' }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
    blockedBy: t.field({
      type: [K8sBlockingPod],
      description: 'The pods of the current template that hold it up, by name; [] once it is COMPLETE.',
      resolve: ({ blockedBy }) => blockedBy,
    }),
  }),
});

/** For the three kinds that roll out. */
export const K8sRollsOut = builder.interfaceRef<KubernetesObject>('K8sRollsOut');
K8sRollsOut.implement({
  description: 'A workload that brings its pods to a new template step by step.',
  interfaces: [K8sObject, K8sWorkload],
  fields: (t) => ({
    rollout: t.field({
      type: K8sRollout,
      nullable: true,
      description:
        'How far it is with its current template. Which pods hold it up is known as far as you may list and watch pods (and ReplicaSets, for a Deployment); without that, a StatefulSet or DaemonSet with broken pods is PROGRESSING. In a subscription, only if those are watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: async (workload, _args, context, info) => {
        const pods = await currentPodsOf(workload, context, info);
        return rollout(workload, pods, context.clock.now());
      },
    }),
  }),
});

/** Workloads have no status of one word; their health is what people count. */
export const BY_HEALTH: Kind['status'] = { name: 'health.level', of: (object) => healthOf(object).level };
