import { createHash } from 'node:crypto';
import { isObject, valueAt, type JsonObject } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import { condition, isAlive, isReady, keepTransitions, ownedBy, ownerOf, ownerReference } from './owners.ts';
import { Workqueue } from './workqueue.ts';
import type { World } from './world.ts';

const HASH = 'pod-template-hash';

/** Deployments make ReplicaSets, ReplicaSets make pods, and both follow what becomes of them. */
export function runWorkloads(world: World): void {
  const { store, pace } = world;
  const deployments = new Workqueue(pace, 200, (namespace, name) => reconcileDeployment(world, namespace, name));
  const replicaSets = new Workqueue(pace, 150, (namespace, name) => reconcileReplicaSet(world, namespace, name));
  store.subscribe('deployments', ({ object }) =>
    deployments.add(object.metadata.namespace ?? '', object.metadata.name),
  );
  store.subscribe('replicasets', ({ object }) => {
    const namespace = object.metadata.namespace ?? '';
    replicaSets.add(namespace, object.metadata.name);
    const owner = ownerOf(object, 'Deployment');
    if (owner) deployments.add(namespace, owner.name);
  });
  store.subscribe('pods', ({ object }) => {
    const owner = ownerOf(object, 'ReplicaSet');
    if (owner) replicaSets.add(object.metadata.namespace ?? '', owner.name);
  });
}

function reconcileDeployment(world: World, namespace: string, name: string): void {
  const { store } = world;
  const deployment = store.get('deployments', namespace, name);
  const all = store.list('replicasets', namespace);
  if (!deployment) {
    const orphans = all.filter((set) => ownerOf(set, 'Deployment')?.name === name);
    for (const set of orphans) store.delete('replicasets', namespace, set.metadata.name);
    return;
  }
  const wanted = count(deployment.spec?.['replicas'], 1);
  const sets = ownedBy(all, deployment);
  const current = sets.find((set) => set.metadata.labels?.[HASH] === templateHash(deployment));
  const old = sets.filter((set) => set !== current);
  if (current) rollForward(world, wanted, current, old);
  else createReplicaSet(world, deployment, old.length === 0 ? wanted : 1);
  reportDeployment(world, deployment, wanted, ownedBy(store.list('replicasets', namespace), deployment));
}

/** One more of the new, one less of the old, as fast as the new ones become ready. */
function rollForward(world: World, wanted: number, current: ApiObject, old: ApiObject[]): void {
  const ready = count(current.status?.['readyReplicas']);
  const running = old.filter((set) => count(set.spec?.['replicas']) > 0);
  scale(world, current, running.length === 0 ? wanted : Math.min(wanted, ready + 1));
  let keep = Math.max(0, wanted - ready);
  for (const set of running) {
    const size = Math.min(count(set.spec?.['replicas']), keep);
    keep -= size;
    scale(world, set, size);
  }
  // A real Deployment keeps ten old ReplicaSets to roll back to; two show the same.
  const idle = old.filter((set) => count(set.spec?.['replicas']) === 0 && count(set.status?.['replicas']) === 0);
  const oldestFirst = idle.toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  for (const set of oldestFirst.slice(0, -2)) {
    world.store.delete('replicasets', set.metadata.namespace ?? '', set.metadata.name);
  }
}

function scale(world: World, set: ApiObject, replicas: number): void {
  if (count(set.spec?.['replicas']) === replicas) return;
  const { namespace = '', name } = set.metadata;
  world.store.patch('replicasets', namespace, name, { spec: { replicas } });
}

function templateHash(deployment: ApiObject): string {
  return createHash('sha256')
    .update(JSON.stringify(deployment.spec?.['template'] ?? {}))
    .digest('hex')
    .slice(0, 10);
}

function createReplicaSet(world: World, deployment: ApiObject, replicas: number): void {
  const hash = templateHash(deployment);
  const { name, namespace = '' } = deployment.metadata;
  const template = deployment.spec?.['template'];
  const given = valueAt(template, 'metadata', 'labels');
  const labels = { ...(isObject(given) ? given : {}), [HASH]: hash };
  const annotations = valueAt(template, 'metadata', 'annotations') ?? {};
  world.store.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `${name}-${hash}`, namespace, labels, ownerReferences: [ownerReference(deployment)] },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: valueAt(template, 'spec') ?? {} },
    },
    status: { replicas: 0, readyReplicas: 0, availableReplicas: 0 },
  });
  world.events.normal(
    deployment,
    'ScalingReplicaSet',
    `Scaled up replica set ${name}-${hash} to ${replicas}`,
    'deployment-controller',
  );
}

function reportDeployment(world: World, deployment: ApiObject, wanted: number, sets: ApiObject[]): void {
  const { store } = world;
  const now = store.timestamp();
  const sum = (field: string) => sets.reduce((total, set) => total + count(set.status?.[field]), 0);
  const current = sets.find((set) => set.metadata.labels?.[HASH] === templateHash(deployment));
  const updated = count(current?.status?.['replicas']);
  const ready = sum('readyReplicas');
  const isAvailable = ready >= Math.ceil(wanted * 0.75);
  const isDone = updated === wanted && ready >= wanted && sum('replicas') === wanted;
  const conditions = [
    condition(
      'Available',
      isAvailable,
      isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      '',
      now,
    ),
    condition('Progressing', true, isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated', '', now),
  ];
  const { namespace = '', name, generation = 1 } = deployment.metadata;
  store.patch('deployments', namespace, name, {
    status: {
      observedGeneration: generation,
      replicas: sum('replicas'),
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: ready < wanted ? wanted - ready : null,
      conditions: keepTransitions(deployment.status?.['conditions'], conditions),
    },
  });
}

function reconcileReplicaSet(world: World, namespace: string, name: string): void {
  const { store } = world;
  const set = store.get('replicasets', namespace, name);
  const pods = store.list('pods', namespace);
  if (!set) {
    for (const pod of pods) if (ownerOf(pod, 'ReplicaSet')?.name === name) removePod(world, pod);
    return;
  }
  const alive = ownedBy(pods, set).filter(isAlive);
  const wanted = count(set.spec?.['replicas']);
  for (let missing = wanted - alive.length; missing > 0; missing -= 1) createPod(world, set);
  // Those that are not ready go first.
  const surplus = alive
    .toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)))
    .slice(0, Math.max(0, alive.length - wanted));
  for (const pod of surplus) removePod(world, pod);
  const left = ownedBy(store.list('pods', namespace), set).filter(isAlive);
  const ready = left.filter(isReady).length;
  store.patch('replicasets', namespace, name, {
    status: {
      replicas: left.length,
      fullyLabeledReplicas: left.length,
      readyReplicas: ready,
      availableReplicas: ready,
      observedGeneration: set.metadata.generation ?? 1,
    },
  });
}

/** A pod as its owner's template says; the kubelet takes it from there. */
export function createPod(world: World, owner: ApiObject, extra: JsonObject = {}): void {
  const template = owner.spec?.['template'];
  const metadata = valueAt(template, 'metadata');
  const spec = valueAt(template, 'spec');
  const pod = world.store.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(isObject(metadata) ? metadata : {}),
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ownerReferences: [ownerReference(owner)],
    },
    spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, ...(isObject(spec) ? spec : {}), ...extra },
  });
  world.events.normal(
    owner,
    'SuccessfulCreate',
    `Created pod: ${pod.metadata.name}`,
    `${owner.kind.toLowerCase()}-controller`,
  );
}

function removePod({ store }: World, pod: ApiObject): void {
  store.delete('pods', pod.metadata.namespace ?? '', pod.metadata.name, { gracePeriodSeconds: 30 });
}

export function count(value: unknown, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise;
}
