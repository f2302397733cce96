import type { Connection } from '../access/gate.ts';
import type { Hop } from '../sources/status.ts';
import { builder } from './builder.ts';
import { checkScope, scopeArgs } from './scope.ts';

const K8sConnectionStatus = builder.enumType('K8sConnectionStatus', {
  description: 'Whether what is shown follows the cluster.',
  values: {
    CONNECTING: { description: 'Not yet, or not again: it is being tried.' },
    CONNECTED: { description: 'Yes: the watch is alive and complete.' },
    DISCONNECTED: { description: 'No: it failed, and waits for its next try; or nothing is watched.' },
  },
});

const K8sTransport = builder.enumType('K8sTransport', {
  description: 'How a watch travels through KAS.',
  values: {
    WEBSOCKET: { description: "One of many on KAS's aggregated WebSocket." },
    HTTP_STREAM: { description: 'An HTTP response of its own.' },
  },
});

const K8sHop = builder.objectRef<Hop>('K8sHop').implement({
  description: 'A station on the way to the cluster, as far as it is known.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'server (Kascade), redis, kas, agent or cluster.' }),
    status: t.expose('status', { type: K8sConnectionStatus, description: 'CONNECTING when it is out of sight.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'What is wrong here. Null when nothing is known to be.',
    }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when it is so.' }),
  }),
});

type Watch = Connection['resources'][number];

const K8sWatchStatus = builder.objectRef<Watch>('K8sWatchStatus').implement({
  description: 'The watch of one resource, shared by everyone who looks at this scope.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'The name of its subscription: k8sPods, k8sServices …' }),
    status: t.field({
      type: K8sConnectionStatus,
      description: 'Whether it follows the cluster.',
      resolve: ({ status }) => status.state,
    }),
    since: t.field({ type: 'DateTime', description: 'Since when it is so.', resolve: ({ status }) => status.since }),
    freshAsOf: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The last proof that it was alive and complete. Null before the first.',
      resolve: ({ status }) => status.freshAsOf,
    }),
    reason: t.string({
      nullable: true,
      description: 'The error code of what went wrong. Null when CONNECTED, and while nothing has gone wrong yet.',
      resolve: ({ status }) => status.reason,
    }),
    message: t.string({
      nullable: true,
      description: 'The same for people. Null when `reason` is.',
      resolve: ({ status }) => status.message,
    }),
    attempts: t.int({
      description: 'Failed tries since it was last connected.',
      resolve: ({ status }) => status.attempts,
    }),
    nextRetryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried next. Null when it is not waiting.',
      resolve: ({ status }) => status.nextRetryAt,
    }),
    transport: t.field({
      type: K8sTransport,
      nullable: true,
      description: 'How it travels. Null while it does not.',
      resolve: ({ status }) => status.transport,
    }),
    hops: t.field({
      type: [K8sHop],
      description: 'The stations on the way, from Kascade to the cluster.',
      resolve: ({ status }) => status.hops,
    }),
  }),
});

export const K8sConnection = builder.objectRef<Connection>('K8sConnection').implement({
  description: 'How well what is shown of a scope follows the cluster.',
  fields: (t) => ({
    agentId: t.exposeID('agentId', { description: 'The agent.' }),
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null: all namespaces.' }),
    status: t.expose('status', {
      type: K8sConnectionStatus,
      description: 'The worst of `resources`; DISCONNECTED with reason IDLE when nothing is watched.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'The error code of the worst, or IDLE. Null when CONNECTED.',
    }),
    resources: t.field({
      type: [K8sWatchStatus],
      description: 'The resources watched in this scope now, of those that the caller may see; [] when there are none.',
      resolve: (connection) => connection.resources,
    }),
  }),
});

export function addConnection(): void {
  builder.queryField('k8sConnection', (t) =>
    t.field({
      type: K8sConnection,
      description: 'How well what is shown of a namespace, or of all, follows the cluster. Opens no watch.',
      args: scopeArgs,
      resolve: (_root, args, context) => {
        const { agentId, namespace } = checkScope(args);
        return context.gate.connection(context.viewer(), agentId, namespace);
      },
    }),
  );

  builder.subscriptionField('k8sConnection', (t) =>
    t.field({
      type: K8sConnection,
      description: 'The same, live: first as it is, then whenever it changes. Opens no watch.',
      args: scopeArgs,
      subscribe: (_root, args, context) => {
        const { agentId, namespace } = checkScope(args);
        return context.gate.watchConnection(context.viewer(), agentId, namespace);
      },
      resolve: (connection) => connection,
    }),
  );
}
