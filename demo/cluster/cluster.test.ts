import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiServer } from '../apiserver/index.ts';
import { valueAt } from '../apiserver/json.ts';
import type { NewObject } from '../apiserver/object.ts';
import { makeDeployment } from '../apiserver/objects.ts';
import { Dice, production, startCluster } from './index.ts';

let api: ApiServer;
let cluster: { stop(): void };

const WEB: NewObject = { ...makeDeployment({ name: 'web', namespace: 'shop', replicas: 3 }), status: {} };

function start(manifests = [WEB]) {
  api = new ApiServer({ clock: new Dice(7).clock(), terminationMs: 20 });
  cluster = startCluster(api, manifests, { seed: 7, speed: 100, incidents: false });
}

function readyReplicas(name = 'web'): unknown {
  return valueAt(api.store.get('deployments', 'shop', name)?.status, 'readyReplicas');
}

function images(): unknown[] {
  return api.store.list('pods', 'shop').map((pod) => valueAt(pod.spec, 'containers', 0, 'image'));
}

function logLines(): string[] {
  const pod = api.store.list('pods', 'shop').find((item) => item.metadata.name.startsWith('cart-'));
  return pod ? api.logs.lines('shop', pod.metadata.name, 'app') : [];
}

beforeEach(() => start());

afterEach(() => {
  cluster.stop();
  api.close();
});

describe('the living cluster', () => {
  it('brings a Deployment up, and its pods through every phase', async () => {
    await expect.poll(() => readyReplicas()).toBe(3);
    const phases = api.store.history
      .filter((change) => change.resource === 'pods')
      .map((change) => valueAt(change.object.status, 'phase'));
    expect(phases).toEqual(expect.arrayContaining(['Pending', 'Running']));
    expect(api.store.list('replicasets', 'shop')).toHaveLength(1);
    expect(api.store.list('events', 'shop').map((event) => event['reason'])).toContain('Scheduled');
  });

  it('replaces a deleted pod', async () => {
    await expect.poll(() => readyReplicas()).toBe(3);
    const [victim] = api.store.list('pods', 'shop');
    api.store.delete('pods', 'shop', victim?.metadata.name ?? '', { gracePeriodSeconds: 30 });
    await expect.poll(() => api.store.get('pods', 'shop', victim?.metadata.name ?? '')).toBeUndefined();
    await expect.poll(() => readyReplicas()).toBe(3);
  });

  it('scales', async () => {
    await expect.poll(() => readyReplicas()).toBe(3);
    api.store.patch('deployments', 'shop', 'web', { spec: { replicas: 1 } });
    await expect.poll(() => readyReplicas()).toBe(1);
    await expect.poll(() => api.store.list('pods', 'shop').length).toBe(1);
    api.store.patch('deployments', 'shop', 'web', { spec: { replicas: 4 } });
    await expect.poll(() => readyReplicas()).toBe(4);
  });

  it('rolls a new image out without losing its readiness', async () => {
    await expect.poll(() => readyReplicas()).toBe(3);
    const deployment = api.store.get('deployments', 'shop', 'web');
    const container = valueAt(deployment?.spec, 'template', 'spec', 'containers', 0) as object;
    const spec = { template: { spec: { containers: [{ ...container, image: 'next:2' }] } } };
    api.store.patch('deployments', 'shop', 'web', { spec });
    await expect.poll(images, { timeout: 5_000 }).toEqual(['next:2', 'next:2', 'next:2']);
    await expect.poll(() => readyReplicas()).toBe(3);
    const least = api.store.history
      .filter((change) => change.resource === 'deployments' && change.type === 'MODIFIED')
      .map((change) => Number(valueAt(change.object.status, 'readyReplicas') ?? 0))
      .slice(4);
    expect(Math.min(...least.slice(least.indexOf(3)))).toBeGreaterThanOrEqual(3);
  });
});

describe('the production manifests', () => {
  beforeEach(() => {
    cluster.stop();
    api.close();
    start(production());
  });

  it('show every kind of trouble, and heal', async () => {
    const seen = () =>
      JSON.stringify(
        api.store.history.filter((change) => change.resource === 'pods').map((change) => change.object.status),
      );
    for (const reason of [
      'CrashLoopBackOff',
      'ImagePullBackOff',
      'OOMKilled',
      'PodInitializing',
      'Completed',
      'Succeeded',
    ]) {
      await expect.poll(seen, { timeout: 10_000, interval: 100 }).toContain(reason);
    }
    await expect.poll(() => readyReplicas('recommendations'), { timeout: 15_000 }).toBe(1);
    await expect.poll(() => readyReplicas('images'), { timeout: 15_000 }).toBe(1);
    const [job] = api.store.list('jobs', 'shop');
    expect(valueAt(job?.status, 'succeeded')).toBe(1);
  });

  it('let Flux reconcile, on request too', async () => {
    const flux = (name: string) => api.store.get('kustomizations', 'shop', name);
    const ready = (name: string) => JSON.stringify(flux(name)?.status?.['conditions']);
    await expect.poll(() => ready('shop')).toContain('"type":"Ready","status":"True"');
    await expect.poll(() => ready('legacy')).toContain('"type":"Stalled","status":"True"');
    expect(flux('experiments')?.status?.['conditions']).toBeUndefined();
    const annotations = { 'reconcile.fluxcd.io/requestedAt': '2026-11-20T10:00:00Z' };
    api.store.patch('kustomizations', 'shop', 'shop', { metadata: { annotations } });
    await expect.poll(() => flux('shop')?.status?.['lastHandledReconcileAt']).toBe('2026-11-20T10:00:00Z');
    expect(valueAt(flux('shop')?.status, 'inventory', 'entries', 0, 'id')).toBe('shop_web_apps_Deployment');
  });

  it('print logs', async () => {
    await expect.poll(() => logLines(), { timeout: 5_000 }).toContain('level=info msg="listening on :8080"');
    await expect.poll(() => logLines().length, { timeout: 5_000 }).toBeGreaterThan(5);
  });
});
