import { badInput } from '../errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, type Resource } from '../kubernetes/resources.ts';
import type { ActionTarget } from '../access/actions.ts';
import { WorkloadActions } from '../access/workload-actions.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { checkObjectRef, K8sObjectRef, type ObjectRefInput } from './object-ref.ts';
import { K8sObject } from './objects.ts';
import { comingFrom } from './origin.ts';
import { agentArgs } from './scope.ts';

const MAX_REPLICAS = 10_000;
const RESTARTABLE = [DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS];
const SCALABLE = [DEPLOYMENTS, STATEFUL_SETS, REPLICA_SETS];

interface Payload {
  readonly id: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly requestedAt: string;
  readonly replicas: number | undefined;
  readonly object: KubernetesObject | undefined;
}

const K8sWorkloadPayload = builder.objectRef<Payload>('K8sWorkloadPayload').implement({
  description: 'A workload whose change the cluster has accepted. Its pods follow; its subscription shows how.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its metadata.uid.' }),
    kind: t.exposeString('kind', { description: 'Its kind.' }),
    namespace: t.exposeString('namespace', { description: 'Its namespace.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
    replicas: t.exposeInt('replicas', {
      nullable: true,
      description: 'The number of pods asked for. Null after a restart.',
    }),
    object: t.field({
      type: K8sObject,
      nullable: true,
      description: 'It as it is since then. Null when the caller may not get it.',
      resolve: ({ object }) => object,
    }),
  }),
});

export function addWorkloadActions(): void {
  builder.mutationField('restartK8sWorkload', (t) =>
    t.field({
      type: K8sWorkloadPayload,
      description:
        'Replaces the pods of a Deployment, StatefulSet or DaemonSet, as `kubectl rollout restart` does. REFUSED for a paused Deployment, CONFLICT when it is not the one of `uid`.',
      args: workloadArgs(t, RESTARTABLE),
      resolve: async (_root, args, context) => {
        const target = targetOf(args, RESTARTABLE, context);
        const { object, requestedAt } = await new WorkloadActions(context.gate.actions).restart(target);
        return payload(target, { id: object.metadata.uid, object, requestedAt, replicas: undefined });
      },
    }),
  );

  builder.mutationField('scaleK8sWorkload', (t) =>
    t.field({
      type: K8sWorkloadPayload,
      description:
        'Sets the number of pods of a Deployment, StatefulSet or ReplicaSet. With `uid`: CONFLICT when it is another one, or was changed at the same moment.',
      args: {
        ...workloadArgs(t, SCALABLE),
        replicas: t.arg.int({ required: true, description: `How many pods there should be, 0 to ${MAX_REPLICAS}.` }),
      },
      resolve: async (_root, args, context) => {
        const { replicas } = args;
        if (replicas < 0 || replicas > MAX_REPLICAS) throw badInput('replicas', `a number from 0 to ${MAX_REPLICAS}`);
        const target = targetOf(args, SCALABLE, context);
        const scaled = await new WorkloadActions(context.gate.actions).scale(target, replicas);
        const object = await context.gate.actions.outcome(target);
        return payload(target, { ...scaled, id: scaled.uid, object });
      },
    }),
  );
}

function workloadArgs(t: { arg: Arg }, resources: readonly Resource[]) {
  return {
    ...agentArgs,
    target: t.arg({
      type: K8sObjectRef,
      required: true,
      description: `Which one: ${resources.map(({ kind }) => kind).join(', ')}. BAD_USER_INPUT for any other kind.`,
    }),
  };
}

type Arg = Parameters<Parameters<typeof builder.mutationField>[1]>[0]['arg'];

function targetOf(
  args: { agentId: string; target: ObjectRefInput },
  resources: readonly Resource[],
  context: Context,
): ActionTarget {
  const { group, kind, namespace, name, uid } = checkObjectRef(args.target, 'target');
  const resource = resources.find((each) => each.kind === kind && (group ?? each.group) === each.group);
  if (resource === undefined) {
    throw badInput('target.kind', `one of ${resources.map((each) => each.kind).join(', ')}`);
  }
  return { viewer: context.viewer(), key: { agentId: args.agentId, namespace, resource }, name, uid };
}

function payload(
  { key, name }: ActionTarget,
  done: Pick<Payload, 'id' | 'requestedAt' | 'replicas' | 'object'>,
): Payload {
  const { agentId, namespace = '', resource } = key;
  if (done.object !== undefined) comingFrom({ agentId, namespace }, [done.object]);
  return { ...done, kind: resource.kind, namespace, name };
}
