import type { ApiObject, NewObject } from '../../demo/apiserver/object.ts';
import { makePod } from '../../demo/apiserver/objects.ts';
import type { Store } from '../../demo/apiserver/store.ts';

/** Objects that belong together, made by hand: what they say is what a test is about. */

export function ownedBy(owner: ApiObject) {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

export function makeWorkload(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  { spec = {}, status = {}, metadata = {} }: Partial<NewObject> = {},
): NewObject {
  const labels = { 'app.kubernetes.io/name': name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: `registry.example.com/${name}:1.0.0` }] },
  };
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, ...metadata },
    spec: { selector: { matchLabels: labels }, template, ...spec },
    status,
  };
}

/** A Deployment, its old and its new ReplicaSet, and pods of the new one; the first pod is broken if asked for. */
export function createFamily(
  store: Store,
  namespace: string,
  name: string,
  { pods = 2, broken = false }: { pods?: number; broken?: boolean } = {},
) {
  const ready = broken ? pods - 1 : pods;
  const deployment = store.create(
    makeWorkload('apps/v1', 'Deployment', namespace, name, {
      spec: { replicas: pods, ...templateOf(name) },
      status: {
        observedGeneration: 1,
        replicas: pods,
        updatedReplicas: pods,
        readyReplicas: ready,
        availableReplicas: ready,
        conditions: [{ type: 'Available', status: broken ? 'False' : 'True', reason: 'Test' }],
      },
    }),
  );
  const [old, current] = [1, 2].map((revision) =>
    store.create(
      makeWorkload('apps/v1', 'ReplicaSet', namespace, `${name}-${revision}`, {
        metadata: {
          annotations: { 'deployment.kubernetes.io/revision': String(revision) },
          ownerReferences: [ownedBy(deployment)],
        },
        spec: { replicas: revision === 2 ? pods : 0, ...templateOf(name) },
        status: { replicas: revision === 2 ? pods : 0, readyReplicas: revision === 2 ? ready : 0 },
      }),
    ),
  );
  if (old === undefined || current === undefined) throw new Error('unreachable');
  for (let index = 0; index < pods; index += 1) {
    const isBroken = broken && index === 0;
    store.create(
      makePod({
        name: `${name}-2-${String(index).padStart(4, '0')}`,
        namespace,
        labels: { 'app.kubernetes.io/name': name },
        ownerReferences: [ownedBy(current)],
        ...(isBroken && { phase: 'Pending', containers: [{ name: 'app', waiting: 'ImagePullBackOff' }] }),
      }),
    );
  }
  return { deployment, old, current };
}

function templateOf(name: string) {
  const labels = { 'app.kubernetes.io/name': name };
  return {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'app', image: `registry.example.com/${name}:1.0.0` }] },
    },
  };
}

/** A Flux object that has been reconciled, unless its status says otherwise. */
export function makeFlux(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  { spec = {}, status = {}, metadata = {} }: Partial<NewObject> = {},
): NewObject {
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, ...metadata },
    spec: { interval: '5m0s', ...spec },
    status: {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'done',
          lastTransitionTime: '2026-11-20T08:00:00Z',
        },
      ],
      ...status,
    },
  };
}

/** The conditions of one that failed. */
export const FAILED = [
  {
    type: 'Ready',
    status: 'False',
    reason: 'BuildFailed',
    message: 'kustomize build failed',
    lastTransitionTime: '2026-11-20T08:00:00Z',
  },
];
