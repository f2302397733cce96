import type { KnownAgent } from '../sources/source.ts';
import { builder } from './builder.ts';

const K8sKnownAgent = builder.objectRef<KnownAgent>('K8sKnownAgent').implement({
  description: 'An agent that this server knows of by itself: a context of its kubeconfig.',
  fields: (t) => ({
    id: t.exposeID('agentId', { description: "Its ID, as agentId takes it: the context's name." }),
    namespace: t.exposeString('namespace', {
      nullable: true,
      description: 'The namespace that it is for. Null: none.',
    }),
    isCurrent: t.exposeBoolean('isCurrent', { description: 'Whether it is the current context.' }),
  }),
});

export function addAgents(): void {
  builder.queryField('k8sAgents', (t) =>
    t.field({
      type: [K8sKnownAgent],
      nullable: true,
      description:
        'The agents that there are, when the source is a kubeconfig. Null behind KAS, where GitLab knows which agents are yours.',
      resolve: (_root, _args, context) => context.gate.clusters.agents(),
    }),
  );
}
