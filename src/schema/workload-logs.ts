import { ApiError, badInput } from '../errors.ts';
import { selectorMatches } from '../kubernetes/label-selector.ts';
import { checkContainerName } from '../kubernetes/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  JOBS,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from '../kubernetes/resources.ts';
import type { LogSource, MergedBatch, SourcedLine } from '../pubsub/merged-log.ts';
import type { ObjectFilter } from '../pubsub/updates.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { checkWish, logWishArgs } from './logs.ts';
import { checkObjectRef, K8sObjectRef, type ObjectRef } from './object-ref.ts';
import { agentArgs } from './scope.ts';
import { followWorkload, MAX_CONTAINERS } from './workload-log-stream.ts';

const WITH_PODS = [DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, REPLICA_SETS, JOBS, SERVICES, PODS];

const K8sLogSource = builder.objectRef<LogSource>('K8sLogSource').implement({
  description: 'A container of a pod.',
  fields: (t) => ({
    pod: t.exposeString('pod', { description: "The pod's name." }),
    container: t.exposeString('container', { description: "The container's name." }),
  }),
});

const K8sWorkloadLogLine = builder.objectRef<SourcedLine>('K8sWorkloadLogLine').implement({
  description: 'A line that one of the containers of a workload has printed.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Counts from 1, the first line of the subscription.' }),
    pod: t.exposeString('pod', { description: 'The pod it comes from.' }),
    container: t.exposeString('container', { description: 'The container it comes from.' }),
    content: t.exposeString('content', { description: 'The line without its end.' }),
    timestamp: t.expose('timestamp', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was printed. Null unless `timestamps` were asked for.',
    }),
    truncated: t.exposeBoolean('truncated', { description: 'True when it was longer than 64 KiB.' }),
  }),
});

const K8sWorkloadLogBatch = builder.objectRef<MergedBatch>('K8sWorkloadLogBatch').implement({
  description: "Some lines of the logs of a workload's pods, merged.",
  fields: (t) => ({
    lines: t.field({
      type: [K8sWorkloadLogLine],
      description: 'The lines in the order of time, [] when there are none.',
      resolve: ({ lines }) => lines,
    }),
    skipped: t.exposeInt('skipped', { description: 'Lines left out because they came faster than this client reads.' }),
    sources: t.field({
      type: [K8sLogSource],
      description: 'The containers that are followed at the moment.',
      resolve: ({ sources }) => sources,
    }),
    error: t.exposeString('error', {
      nullable: true,
      description:
        'What keeps one of the logs from flowing, or that not all can be followed; of a container whose log is gone, once. Null when all is well.',
    }),
  }),
});

export function addWorkloadLogs(): void {
  builder.subscriptionField('k8sWorkloadLogs', (t) =>
    t.field({
      type: K8sWorkloadLogBatch,
      description: `The logs of all pods of a workload, live, merged by time. Pods that come are joined, from their first line; at most ${MAX_CONTAINERS} containers. Needs the right to list and watch pods, and to get each pod's log.`,
      args: {
        ...agentArgs,
        ...logWishArgs,
        target: t.arg({
          type: K8sObjectRef,
          required: true,
          description: `A ${WITH_PODS.map(({ kind }) => kind).join(', ')}.`,
        }),
        containerName: t.arg.string({ description: 'Only the containers of this name. Omitted or null: all.' }),
      },
      subscribe: async (_root, args, context) => {
        const wish = checkWish(args);
        const container = args.containerName == null ? undefined : checkContainerName(args.containerName);
        const ref = checkObjectRef(args.target, 'target');
        const pods = await podsOfTarget(args.agentId, ref, context);
        return followWorkload(context, { agentId: args.agentId, namespace: ref.namespace, pods, container, wish });
      },
      resolve: (batch, { timestamps }) => (timestamps === true ? batch : withoutTimes(batch)),
    }),
  );
}

/** Which pods are meant: those that the workload selects, and the one itself when it is a pod. */
async function podsOfTarget(agentId: string, ref: ObjectRef, context: Context): Promise<ObjectFilter> {
  const { group, kind, namespace, name, uid } = ref;
  const resource = WITH_PODS.find((each) => each.kind === kind && (group ?? each.group) === each.group);
  if (resource === undefined) throw badInput('target.kind', `one of ${WITH_PODS.map((each) => each.kind).join(', ')}`);
  if (resource === PODS) {
    return {
      key: `log of ${name} ${uid ?? ''}`,
      matches: ({ metadata }) => metadata.name === name && (uid ?? metadata.uid) === metadata.uid,
    };
  }
  const owner = await context.gate.get(context.viewer(), { agentId, namespace, resource }, name);
  if (owner === undefined || (uid ?? owner.metadata.uid) !== owner.metadata.uid) {
    throw new ApiError('NOT_FOUND', `There is no such ${kind} "${name}" in namespace "${namespace}".`);
  }
  return {
    key: `logs of ${kind} ${owner.metadata.uid}`,
    matches: (pod: KubernetesObject) => selectorMatches(owner, pod.metadata.labels),
  };
}

function withoutTimes(batch: MergedBatch): MergedBatch {
  return { ...batch, lines: batch.lines.map((line) => ({ ...line, timestamp: undefined })) };
}
