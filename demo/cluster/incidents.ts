import { text, valueAt } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import type { Kubelet } from './kubelet.ts';
import { isReady } from './owners.ts';
import type { World } from './world.ts';

/** Something happens every now and then, so that there is always something to see. */
export function runIncidents(world: World, kubelet: Kubelet): void {
  const incidents = [deletePod, crashPod, exhaustMemory, evictPod, rollOut, scaleDeployment];
  world.pace.every(
    () => world.dice.between(8_000, 20_000),
    () => world.dice.pick(incidents)?.(world, kubelet),
  );
}

function anyPod({ store, dice }: World): ApiObject | undefined {
  return dice.pick(store.list('pods').filter(isReady));
}

function anyDeployment({ store, dice }: World): ApiObject | undefined {
  return dice.pick(store.list('deployments'));
}

function deletePod(world: World): void {
  const pod = anyPod(world);
  if (pod) world.store.delete('pods', pod.metadata.namespace ?? '', pod.metadata.name, { gracePeriodSeconds: 30 });
}

function crashPod(world: World, kubelet: Kubelet): void {
  const pod = anyPod(world);
  if (pod) kubelet.run(pod)?.fail('crash', world.dice.between(1, 3));
}

function exhaustMemory(world: World, kubelet: Kubelet): void {
  const pod = anyPod(world);
  if (pod) kubelet.run(pod)?.fail('out-of-memory', 1);
}

/** An evicted pod stays as a reminder; somebody cleans it up later. */
function evictPod(world: World, kubelet: Kubelet): void {
  const pod = anyPod(world);
  if (!pod) return;
  const { namespace = '', name, uid } = pod.metadata;
  kubelet.run(pod)?.evict();
  world.pace.after(90_000, () => {
    if (world.store.get('pods', namespace, name)?.metadata.uid === uid) world.store.delete('pods', namespace, name);
  });
}

/** A new version of the image: a rolling update. */
function rollOut(world: World): void {
  const deployment = anyDeployment(world);
  if (!deployment) return;
  const containers = valueAt(deployment.spec, 'template', 'spec', 'containers');
  const image = text(valueAt(containers, 0, 'image'));
  const next = image.replace(/:.*$/, `:1.${world.dice.between(0, 9)}.${world.dice.between(0, 99)}`);
  const [first, ...others] = Array.isArray(containers) ? containers : [];
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return;
  const { namespace = '', name } = deployment.metadata;
  const spec = { template: { spec: { containers: [{ ...first, image: next }, ...others] } } };
  world.store.patch('deployments', namespace, name, { spec });
}

function scaleDeployment(world: World): void {
  const deployment = anyDeployment(world);
  if (!deployment) return;
  const { namespace = '', name } = deployment.metadata;
  world.store.patch('deployments', namespace, name, { spec: { replicas: world.dice.between(1, 4) } });
}
