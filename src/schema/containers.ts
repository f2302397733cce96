import type { PodContainer } from '../kubernetes/pod-containers.ts';
import { builder } from './builder.ts';

const K8sContainerType = builder.enumType('K8sContainerType', {
  description: 'What part a container plays in its pod.',
  values: {
    INIT: { description: 'Runs to its end before the regular containers start.' },
    SIDECAR: { description: 'An init container that keeps running (restartPolicy Always).' },
    REGULAR: { description: "One of the pod's containers proper." },
    EPHEMERAL: { description: 'Added to a running pod, to debug it.' },
  },
});

const K8sContainerState = builder.enumType('K8sContainerState', {
  description: 'What a container is doing.',
  values: {
    WAITING: { description: 'It has not started yet, or not again: `reason` says why.' },
    RUNNING: { description: 'It runs.' },
    TERMINATED: { description: 'It has ended: `reason` and `exitCode` say how.' },
    UNKNOWN: { description: 'Its node has not reported it yet.' },
  },
});

const K8sContainerTermination = builder
  .objectRef<NonNullable<PodContainer['lastTermination']>>('K8sContainerTermination')
  .implement({
    description: 'How a run of a container ended (lastState.terminated).',
    fields: (t) => ({
      reason: t.exposeString('reason', {
        nullable: true,
        description: 'Why it ended, such as Error or OOMKilled. Null when it is not known.',
      }),
      exitCode: t.exposeInt('exitCode', { description: "The process's exit code." }),
      finishedAt: t.expose('finishedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it ended. Null when it is not known.',
      }),
    }),
  });

export const K8sContainer = builder.objectRef<PodContainer>('K8sContainer').implement({
  description: "A container of a pod: its part of the pod's spec together with its status.",
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique in its pod.' }),
    type: t.expose('type', { type: K8sContainerType, description: 'What part it plays.' }),
    image: t.exposeString('image', { description: 'The image, as the pod asks for it.' }),
    state: t.expose('state', { type: K8sContainerState, description: 'What it is doing.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description:
        "The state's reason, such as CrashLoopBackOff, ImagePullBackOff, OOMKilled. Null when there is none.",
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: "The state's message for people. Null when there is none.",
    }),
    exitCode: t.exposeInt('exitCode', { nullable: true, description: 'Null unless it has ended.' }),
    ready: t.exposeBoolean('ready', { description: 'True when it passes its readiness probe.' }),
    started: t.exposeBoolean('started', { description: 'True when it runs and has passed its startup probe.' }),
    restarts: t.exposeInt('restarts', { description: 'How often it was restarted.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the current run began, or the one that has ended. Null while it waits.',
    }),
    lastTermination: t.expose('lastTermination', {
      type: K8sContainerTermination,
      nullable: true,
      description: 'How the run before the current one ended. Null when there was none.',
    }),
  }),
});
