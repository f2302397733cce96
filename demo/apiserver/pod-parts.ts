import { createHash } from 'node:crypto';
import type { JsonObject } from './json.ts';

export interface ContainerOptions {
  name: string;
  image?: string;
  ready?: boolean;
  restarts?: number;
  /** `waiting: 'CrashLoopBackOff'`; running (or terminated, as the phase says) when left out. */
  waiting?: string;
  terminated?: { reason: string; exitCode: number };
  /** `Always` makes an init container a sidecar. */
  restartPolicy?: 'Always';
  started?: boolean;
}

/** The containers of a pod: what its spec says, and what the kubelet reports. */
export interface Containers {
  readonly spec: JsonObject[];
  readonly status: JsonObject[];
  readonly ready: boolean;
}

const STARTED = '2026-11-20T08:00:05Z';

export function makeContainers(options: ContainerOptions[], phase: string): Containers {
  const status = options.map((container) => containerStatus(container, phase));
  return { spec: options.map(containerSpec), status, ready: status.every((item) => item['ready'] === true) };
}

export function imageOf({ name, image }: ContainerOptions): string {
  return image ?? `registry.example.com/shop/${name}:1.0.0`;
}

function probe(path: string): JsonObject {
  return {
    httpGet: { path, port: 8080, scheme: 'HTTP' },
    periodSeconds: 10,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  };
}

export function containerSpec(container: ContainerOptions): JsonObject {
  const isSidecar = container.restartPolicy !== undefined;
  return {
    name: container.name,
    image: imageOf(container),
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
      { name: 'DATABASE_HOST', valueFrom: { configMapKeyRef: { name: 'app-config', key: 'database-host' } } },
    ],
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: probe('/ready'),
    livenessProbe: { ...probe('/live'), initialDelaySeconds: 10 },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'kube-api-access-x7k2p', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...(isSidecar ? { restartPolicy: container.restartPolicy } : {}),
  };
}

function containerStatus(container: ContainerOptions, phase: string): JsonObject {
  const image = imageOf(container);
  const digest = createHash('sha256').update(image).digest('hex');
  const state = containerState(container, phase);
  const isRunning = 'running' in state;
  const isComplete = phase === 'Succeeded' && 'terminated' in state;
  // A finished init container counts as ready, a finished ordinary one does not; phase Succeeded is used for both.
  return {
    name: container.name,
    image,
    imageID: `registry.example.com/shop/${container.name}@sha256:${digest}`,
    containerID: `containerd://${digest.split('').toReversed().join('')}`,
    ready: container.ready ?? (isRunning || isComplete),
    started: container.started ?? isRunning,
    restartCount: container.restarts ?? 0,
    state,
    lastState: (container.restarts ?? 0) > 0 ? { terminated: terminated('Error', 1) } : {},
  };
}

function containerState({ waiting, terminated: ended, restartPolicy }: ContainerOptions, phase: string): JsonObject {
  if (waiting !== undefined) return { waiting: { reason: waiting, message: `${waiting}: waiting` } };
  if (ended) return { terminated: terminated(ended.reason, ended.exitCode) };
  if (restartPolicy === 'Always' && phase !== 'Pending') return { running: { startedAt: STARTED } };
  if (phase === 'Pending') return { waiting: { reason: 'ContainerCreating' } };
  if (phase === 'Succeeded') return { terminated: terminated('Completed', 0) };
  if (phase === 'Failed') return { terminated: terminated('Error', 1) };
  return { running: { startedAt: STARTED } };
}

function terminated(reason: string, exitCode: number): JsonObject {
  return { reason, exitCode, startedAt: STARTED, finishedAt: STARTED };
}
