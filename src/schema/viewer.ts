import { badInput } from '../errors.ts';
import { checkGroup, checkName, checkNamespace, checkPlural } from '../kubernetes/names.ts';
import { WATCHED_RESOURCES, NAMESPACES } from '../kubernetes/resources.ts';
import type { AccessAttributes } from '../sources/source.ts';
import { builder } from './builder.ts';
import { agentArgs, checkScope } from './scope.ts';

interface Asker {
  readonly agentId: string;
}

const ANY = '*';
const VERB = /^[a-z]{1,63}$/;
const SUBRESOURCE = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const K8sViewer = builder.objectRef<Asker>('K8sViewer').implement({
  description: 'Who the cluster takes the caller for, and what it lets them do.',
  fields: (t) => ({
    user: t.string({
      description:
        'The user name, from a SelfSubjectReview. NOT_FOUND where the cluster serves none (before Kubernetes 1.28).',
      resolve: async ({ agentId }, _args, context) => (await context.gate.whoAmI(context.viewer(), agentId)).username,
    }),
    groups: t.stringList({
      description: 'The groups, from the same review.',
      resolve: async ({ agentId }, _args, context) => (await context.gate.whoAmI(context.viewer(), agentId)).groups,
    }),
    can: t.boolean({
      description:
        'Whether the cluster would let the caller do this, from a SelfSubjectAccessReview; the answer may be as old as ACCESS_ALLOW_SECONDS. It is for showing and hiding, and lets nobody in.',
      args: {
        verb: t.arg.string({
          required: true,
          description: 'get, list, watch, create, update, patch, delete …, or * for all.',
        }),
        group: t.arg.string({ description: 'The API group, such as `apps`, or * for all. Omitted or null: core.' }),
        resource: t.arg.string({
          required: true,
          description: "The collection's plural name, such as `pods`, or * for all.",
        }),
        subresource: t.arg.string({ description: 'Such as `log` or `scale`. Omitted or null: the resource itself.' }),
        namespace: t.arg.string({ description: 'Omitted or null: all namespaces, or a cluster-scoped resource.' }),
        name: t.arg.string({ description: 'One object of this name. Omitted or null: any.' }),
      },
      resolve: ({ agentId }, args, context) => context.gate.can(context.viewer(), agentId, attributesOf(args)),
    }),
  }),
});

export function addViewer(): void {
  builder.queryField('k8sViewer', (t) =>
    t.field({
      type: K8sViewer,
      description: 'Who the cluster takes the caller for, and what it lets them do. Asked with their own credentials.',
      args: agentArgs,
      resolve: (_root, args, context) => {
        context.viewer(); // without credentials there is nobody to tell anything about
        return { agentId: checkScope(args).agentId };
      },
    }),
  );
}

interface CanArgs {
  verb: string;
  group?: string | null | undefined;
  resource: string;
  subresource?: string | null | undefined;
  namespace?: string | null | undefined;
  name?: string | null | undefined;
}

function attributesOf(args: CanArgs): AccessAttributes {
  const { verb, subresource } = args;
  if (verb !== ANY && !VERB.test(verb)) throw badInput('verb', 'a verb of Kubernetes in lower case, or *');
  if (subresource != null && !SUBRESOURCE.test(subresource))
    throw badInput('subresource', 'a name such as log or scale');
  const group = args.group == null || args.group === '' ? '' : orAny(args.group, checkGroup);
  const resource = orAny(args.resource, checkPlural);
  // With the version it is the very question that a view of this collection asks, and shares its answer.
  const known = [...WATCHED_RESOURCES, NAMESPACES].find((each) => each.group === group && each.plural === resource);
  return {
    verb,
    group,
    resource,
    namespace: args.namespace == null ? undefined : checkNamespace(args.namespace),
    version: known?.version,
    subresource: subresource ?? undefined,
    name: args.name == null ? undefined : checkName(args.name),
  };
}

function orAny(value: string, check: (value: string) => string): string {
  return value === ANY ? ANY : check(value);
}
