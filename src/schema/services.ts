import type { KubernetesObject } from '../kubernetes/object.ts';
import { SERVICES } from '../kubernetes/resources.ts';
import type { ServicePort } from '../kubernetes/service-columns.ts';
import { builder, type KubernetesRef } from './builder.ts';
import { addCollection } from './collection.ts';
import { serviceColumnsOf } from './derived.ts';
import type { Kind } from './kind.ts';
import { K8sObject } from './objects.ts';
import { VIEWER_DEPENDENT } from './related.ts';
import { podsOfService } from './relations.ts';

const K8sServicePort = builder.objectRef<ServicePort>('K8sServicePort').implement({
  description: 'A port that a service listens on (spec.ports).',
  fields: (t) => ({
    name: t.exposeString('name', {
      nullable: true,
      description: 'Its name in the service. Null for an only port without one.',
    }),
    port: t.exposeInt('port', { description: "The port on the service's address." }),
    targetPort: t.exposeString('targetPort', {
      description: 'The port on the pods: a number, or the name of a port of a container.',
    }),
    nodePort: t.exposeInt('nodePort', {
      nullable: true,
      description: 'The port on every node. Null when there is none.',
    }),
    protocol: t.exposeString('protocol', { description: 'TCP, UDP or SCTP.' }),
    text: t.exposeString('text', { description: 'As kubectl prints it, such as 80:30080/TCP.' }),
  }),
});

export const K8sService = builder.objectRef<KubernetesObject>('K8sService');
K8sService.implement({
  description: 'A service, with the columns that `kubectl get services` prints.',
  interfaces: [K8sObject],
  fields: (t) => ({
    type: t.string({
      description: 'spec.type: ClusterIP, NodePort, LoadBalancer or ExternalName.',
      resolve: (service) => serviceColumnsOf(service).type,
    }),
    clusterIP: t.string({
      nullable: true,
      description: 'spec.clusterIP; `None` for a headless service. Null when there is none.',
      resolve: (service) => serviceColumnsOf(service).clusterIP,
    }),
    externalIPs: t.stringList({
      description:
        'spec.externalIPs and the addresses of the load balancer (status.loadBalancer.ingress, ip or hostname).',
      resolve: (service) => serviceColumnsOf(service).externalIPs,
    }),
    ports: t.field({
      type: [K8sServicePort],
      description: 'The ports, in the order of the spec.',
      resolve: (service) => serviceColumnsOf(service).ports,
    }),
  }),
});

const SERVICES_KIND: Kind = {
  resource: SERVICES,
  typeName: 'K8sService',
  one: 'k8sService',
  noun: { one: 'service', many: 'services' },
  status: { name: 'type', of: (service) => serviceColumnsOf(service).type },
};

export function addServices(): void {
  addCollection(SERVICES_KIND, K8sService);
}

/** Beside the type itself: pods and services name each other. */
export function addPodsToServices(pod: KubernetesRef): void {
  builder.objectField(K8sService, 'pods', (t) =>
    t.field({
      type: [pod],
      description:
        'The pods that it selects, ready or not; [] when there are none, or when you may not list and watch pods. In a subscription, only if those are watched already.',
      extensions: VIEWER_DEPENDENT,
      resolve: (service, _args, context, info) => podsOfService(service, context, info),
    }),
  );
}
