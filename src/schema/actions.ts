import { badInput } from '../errors.ts';
import { NAMESPACES, PODS, WATCHED_RESOURCES } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { K8sConnection } from './connection.ts';
import type { Door } from './context.ts';
import { checkAddress, checkScope, objectArgs, scopeArgs } from './scope.ts';

type Deleted = Awaited<ReturnType<Door['delete']>>;

const UID = /^[\w.:-]{1,128}$/;
const RECONNECTABLE = [...WATCHED_RESOURCES, NAMESPACES].map(({ field }) => field);

const DeleteK8sPodPayload = builder.objectRef<Deleted>('DeleteK8sPodPayload').implement({
  description: 'The pod whose deletion the cluster accepted. It may take its time to end gracefully.',
  fields: (t) => ({
    id: t.id({ description: 'Its metadata.uid.', resolve: ({ uid }) => uid }),
    name: t.exposeString('name', { description: 'Its name.' }),
    namespace: t.exposeString('namespace', { description: 'Its namespace.' }),
  }),
});

export function addActions(): void {
  builder.mutationField('deleteK8sPod', (t) =>
    t.field({
      type: DeleteK8sPodPayload,
      description:
        "Deletes a pod with the caller's own credentials. NOT_FOUND when there is none, CONFLICT when it is not the one of `uid`, FORBIDDEN without the right to delete it.",
      args: {
        ...objectArgs,
        uid: t.arg.id({
          description: 'Only if the pod of this name still has this id. Omitted or null: whichever has the name.',
        }),
      },
      resolve: (_root, args, context) => {
        const { key, name } = checkAddress(PODS, args);
        return context.gate.delete(context.viewer(), key, name, { uid: checkUid(args.uid) });
      },
    }),
  );

  builder.mutationField('reconnectToCluster', (t) =>
    t.field({
      type: K8sConnection,
      description: 'Tries failed watches of a scope now instead of waiting for their next turn.',
      args: {
        ...scopeArgs,
        resource: t.arg.string({
          description: `Only the watch of this resource: ${RECONNECTABLE.join(', ')}. Omitted or null: all of the scope.`,
        }),
      },
      resolve: (_root, args, context) => {
        const { agentId, namespace } = checkScope(args);
        const field = checkField(args.resource);
        return context.gate.reconnect(context.viewer(), agentId, namespace, field);
      },
    }),
  );
}

function checkUid(uid: string | null | undefined): string | undefined {
  if (uid == null) return undefined;
  if (!UID.test(uid)) throw badInput('uid', "an object's id");
  return uid;
}

function checkField(field: string | null | undefined): string | undefined {
  if (field == null) return undefined;
  if (!RECONNECTABLE.includes(field)) throw badInput('resource', `one of ${RECONNECTABLE.join(', ')}`);
  return field;
}
