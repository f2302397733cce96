import { record, text } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { NAMESPACES } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { K8sObject, registerKind } from './objects.ts';
import { comingFrom } from './origin.ts';
import { agentArgs, checkScope, feedKey } from './scope.ts';

const K8sNamespace = builder.objectRef<KubernetesObject>('K8sNamespace');
K8sNamespace.implement({
  description: 'A namespace of the cluster.',
  interfaces: [K8sObject],
  fields: (t) => ({
    phase: t.string({
      description: 'status.phase: Active or Terminating; Unknown when the cluster does not say.',
      resolve: (namespace) => text(record(namespace.status)['phase']) || 'Unknown',
    }),
  }),
});

export function addNamespaces(): void {
  registerKind(NAMESPACES, 'K8sNamespace');

  builder.queryField('k8sNamespaces', (t) =>
    t.field({
      type: [K8sNamespace],
      description: 'All namespaces of the cluster, by name. Needs the right to list and watch namespaces.',
      args: agentArgs,
      resolve: (_root, args, context) => namespaces(args, context),
    }),
  );
}

async function namespaces(args: { agentId: string }, context: Context): Promise<KubernetesObject[]> {
  const key = feedKey(NAMESPACES, checkScope(args));
  const attachment = await context.gate.attach(context.viewer(), key);
  try {
    await attachment.feed.ready();
    const all = [...attachment.feed.objects()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return comingFrom(key, all);
  } finally {
    attachment.release();
  }
}
