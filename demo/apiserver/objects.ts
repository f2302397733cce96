import { isObject, type JsonObject } from './json.ts';
import type { NewObject } from './object.ts';
import { makeContainers, type ContainerOptions, type Containers } from './pod-parts.ts';

export type { ContainerOptions } from './pod-parts.ts';
export { grant, revoke } from './grants.ts';

interface Named {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: JsonObject[];
}

export interface PodOptions extends Named {
  /** One container `app` when left out. */
  containers?: ContainerOptions[];
  initContainers?: ContainerOptions[];
  node?: string;
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** `status.reason`, such as `Evicted` or `NodeLost`. */
  reason?: string;
  message?: string;
  ip?: string;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds?: number;
  readinessGates?: string[];
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const STARTED = '2026-11-20T08:00:00Z';

function metadata({ name, namespace = 'default', labels = {}, annotations = {}, ownerReferences }: Named): JsonObject {
  return { name, namespace, labels, annotations, ...(ownerReferences ? { ownerReferences } : {}) };
}

/** As `kubectl apply` would have left it: with its own text in an annotation. */
function applied(object: NewObject): NewObject {
  const { status: _, ...manifest } = object;
  const annotations = isObject(object.metadata['annotations']) ? object.metadata['annotations'] : {};
  const text = `${JSON.stringify(manifest)}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

/** A pod like real ones: some 10 kB with managedFields. Running and ready unless told otherwise. */
export function makePod(options: PodOptions): NewObject {
  const { phase = 'Running', restartPolicy = 'Always', terminationGracePeriodSeconds = 30 } = options;
  const app = options.labels?.['app.kubernetes.io/name'] ?? options.name.replace(/-[a-z0-9]+-[a-z0-9]{5}$/, '');
  const labels = {
    'app.kubernetes.io/name': app,
    'app.kubernetes.io/instance': `${app}-${options.namespace ?? 'default'}`,
    'app.kubernetes.io/managed-by': 'kustomize',
    ...options.labels,
  };
  const containers = makeContainers(options.containers ?? [{ name: 'app' }], phase);
  const initContainers = makeContainers(options.initContainers ?? [], phase === 'Pending' ? 'Pending' : 'Succeeded');
  return applied({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata({ ...options, labels }),
    spec: {
      ...(initContainers.spec.length === 0 ? {} : { initContainers: initContainers.spec }),
      containers: containers.spec,
      ...(options.node === '' ? {} : { nodeName: options.node ?? 'node-a' }),
      restartPolicy,
      terminationGracePeriodSeconds,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      schedulerName: 'default-scheduler',
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
      securityContext: { runAsNonRoot: true, fsGroup: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
      ...(options.readinessGates
        ? { readinessGates: options.readinessGates.map((conditionType) => ({ conditionType })) }
        : {}),
      tolerations: ['not-ready', 'unreachable'].map((condition) => ({
        key: `node.kubernetes.io/${condition}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      volumes: VOLUMES,
    },
    status: podStatus(options, phase, containers, initContainers),
  });
}

const VOLUMES = [
  { name: 'config', configMap: { name: 'app-config', defaultMode: 420 } },
  { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
  {
    name: 'kube-api-access-x7k2p',
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      ],
    },
  },
];

function podStatus(options: PodOptions, phase: string, containers: Containers, initContainers: Containers): JsonObject {
  const done = phase === 'Succeeded';
  const condition = (type: string, isTrue: boolean, reason?: string) => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: STARTED,
    ...(isTrue || reason === undefined ? {} : { reason }),
  });
  const why = done ? 'PodCompleted' : 'ContainersNotReady';
  return {
    phase,
    ...(options.reason ? { reason: options.reason } : {}),
    ...(options.message ? { message: options.message } : {}),
    conditions: [
      condition('PodReadyToStartContainers', phase !== 'Pending'),
      condition(
        'Initialized',
        initContainers.status.every((status) => status['ready'] === true),
        'ContainersNotInitialized',
      ),
      condition('Ready', containers.ready, why),
      condition('ContainersReady', containers.ready, why),
      condition('PodScheduled', options.node !== '', 'Unschedulable'),
    ],
    hostIP: '10.0.0.11',
    hostIPs: [{ ip: '10.0.0.11' }],
    ...(phase === 'Pending'
      ? {}
      : { podIP: options.ip ?? '10.244.1.17', podIPs: [{ ip: options.ip ?? '10.244.1.17' }] }),
    startTime: STARTED,
    ...(initContainers.status.length === 0 ? {} : { initContainerStatuses: initContainers.status }),
    containerStatuses: containers.status,
    qosClass: 'Burstable',
  };
}

export interface ServiceOptions extends Named {
  type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  ports?: { name?: string; port: number; targetPort?: number | string; nodePort?: number; protocol?: string }[];
  selector?: Record<string, string>;
  clusterIP?: string;
  /** Addresses of the load balancer; none while it is pending. */
  ingress?: ({ ip: string } | { hostname: string })[];
}

export function makeService(options: ServiceOptions): NewObject {
  const { type = 'ClusterIP', clusterIP = '10.96.14.3', ingress = [] } = options;
  const ports = (options.ports ?? [{ name: 'http', port: 80, targetPort: 8080 }]).map((port) => ({
    protocol: 'TCP',
    ...port,
  }));
  return applied({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(options),
    spec: {
      type,
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      selector: options.selector ?? { 'app.kubernetes.io/name': options.name },
      ports,
    },
    status: { loadBalancer: ingress.length === 0 ? {} : { ingress } },
  });
}

export interface DeploymentOptions extends Named {
  replicas?: number;
  /** How many are up to date and ready; all unless told. */
  ready?: number;
  image?: string;
}

function deploymentCondition(type: string, isTrue: boolean, reason: string): JsonObject {
  const status = isTrue ? 'True' : 'False';
  return { type, status, reason, message: reason, lastUpdateTime: STARTED, lastTransitionTime: STARTED };
}

export function makeDeployment(options: DeploymentOptions): NewObject {
  const { replicas = 1, image = 'registry.example.com/shop/app:1.0.0' } = options;
  const ready = options.ready ?? replicas;
  const labels = { 'app.kubernetes.io/name': options.name, ...options.labels };
  return applied({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata({ ...options, labels }),
    spec: {
      replicas,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: { 'app.kubernetes.io/name': options.name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels },
        spec: { containers: makeContainers([{ name: 'app', image }], 'Running').spec },
      },
    },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: ready,
      readyReplicas: ready,
      availableReplicas: ready,
      ...(ready < replicas ? { unavailableReplicas: replicas - ready } : {}),
      conditions: [
        deploymentCondition(
          'Available',
          ready >= replicas,
          ready >= replicas ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        ),
        deploymentCondition('Progressing', true, 'NewReplicaSetAvailable'),
      ],
    },
  });
}

export function makeNamespace(name: string, labels: Record<string, string> = {}): NewObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels }, status: { phase: 'Active' } };
}
