import type { AgentState } from '../access/agent-state.ts';
import type { ApiGroup } from '../kubernetes/discovery.ts';
import { FLUX_RESOURCES } from '../kubernetes/resources.ts';
import type { StreamUsage } from '../sources/source.ts';
import { builder } from './builder.ts';
import { agentArgs, checkScope } from './scope.ts';

const FLUX_GROUPS: ReadonlySet<string> = new Set(FLUX_RESOURCES.map(({ group }) => group));

const K8sApiGroup = builder.objectRef<ApiGroup>('K8sApiGroup').implement({
  description: 'An API group that the cluster serves.',
  fields: (t) => ({
    group: t.exposeString('name', { description: 'Its name, such as kustomize.toolkit.fluxcd.io.' }),
    versions: t.exposeStringList('versions', { description: 'Its versions, the preferred one first.' }),
    preferred: t.exposeString('preferred', { description: 'The version that the cluster prefers.' }),
  }),
});

/** The groups, by which everything else is known. */
type Capabilities = Pick<AgentState, 'hasApplications'> & { readonly groups: readonly ApiGroup[] };

const K8sCapabilities = builder.objectRef<Capabilities>('K8sCapabilities').implement({
  description: 'What a cluster has beyond Kubernetes itself, as its API tells.',
  fields: (t) => ({
    flux: t.field({
      type: [K8sApiGroup],
      description: "Flux's groups that the kinds here are in; [] when Flux is not installed.",
      resolve: ({ groups }) => groups.filter(({ name }) => FLUX_GROUPS.has(name)),
    }),
    metrics: t.boolean({
      description: 'Whether it measures the use of pods and nodes (metrics.k8s.io).',
      resolve: ({ groups }) => serves(groups, 'metrics.k8s.io'),
    }),
    prometheus: t.boolean({
      description: 'Whether the Prometheus operator is installed (monitoring.coreos.com).',
      resolve: ({ groups }) => serves(groups, 'monitoring.coreos.com'),
    }),
    applicationCrd: t.boolean({
      description: 'Whether Applications of kubernetes-sigs/application are served (app.k8s.io).',
      resolve: ({ hasApplications }) => hasApplications,
    }),
    certManager: t.boolean({
      description: 'Whether cert-manager is installed (cert-manager.io).',
      resolve: ({ groups }) => serves(groups, 'cert-manager.io'),
    }),
    argoCd: t.boolean({
      description: 'Whether Argo CD is installed (argoproj.io).',
      resolve: ({ groups }) => serves(groups, 'argoproj.io'),
    }),
    groups: t.field({
      type: [K8sApiGroup],
      description: 'All API groups, without core.',
      resolve: ({ groups }) => groups,
    }),
  }),
});

const K8sStreamUsage = builder.objectRef<StreamUsage>('K8sStreamUsage').implement({
  description: 'Upstream streams that this replica holds to an agent.',
  fields: (t) => ({
    used: t.exposeInt('used', { description: 'Those that are open, or being opened.' }),
    budget: t.exposeInt('budget', { description: 'How many there may be (AGENT_STREAM_BUDGET).' }),
  }),
});

const K8sAgent = builder.objectRef<AgentState>('K8sAgent').implement({
  description: 'An agent, whether it is reached, and what its cluster has.',
  fields: (t) => ({
    id: t.exposeID('agentId', { description: 'Its ID.' }),
    connected: t.exposeBoolean('connected', { description: 'Whether its cluster answered just now.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'The error code of what is in the way, such as AGENT_NOT_CONNECTED. Null when connected.',
    }),
    message: t.exposeString('message', { nullable: true, description: 'The same for people. Null when connected.' }),
    serverVersion: t.exposeString('serverVersion', {
      nullable: true,
      description: "The cluster's version, such as v1.36.2. Null when it does not tell.",
    }),
    capabilities: t.field({
      type: K8sCapabilities,
      nullable: true,
      description: 'What its cluster has; as old as five minutes. Null when it could not be asked.',
      resolve: ({ groups, hasApplications }) => groups && { groups, hasApplications },
    }),
    streams: t.expose('streams', {
      type: K8sStreamUsage,
      nullable: true,
      description: 'The streams that it carries for us. Null where nothing limits them.',
    }),
    latencyMs: t.exposeFloat('latencyMs', {
      nullable: true,
      description: "How long the cluster's version took to come, in milliseconds. Null when it did not.",
    }),
  }),
});

export function addAgent(): void {
  builder.queryField('k8sAgent', (t) =>
    t.field({
      type: K8sAgent,
      description:
        'An agent, whether it is reached, and what its cluster has. Asked with your own credentials; GITLAB_UNAUTHORIZED when the agent is not shared with you.',
      args: agentArgs,
      resolve: (_root, args, context) => context.gate.clusters.about(context.viewer(), checkScope(args).agentId),
    }),
  );
}

function serves(groups: readonly ApiGroup[], name: string): boolean {
  return groups.some((group) => group.name === name);
}
