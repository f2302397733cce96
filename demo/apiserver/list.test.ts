import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWithAda } from '../test-client.ts';
import { makeDeployment, makePod, makeService } from './objects.ts';

const PODS = '/api/v1/namespaces/prod/pods';
let fixture: Awaited<ReturnType<typeof startWithAda>>;
const running = () => fixture;

function namesOf(body: unknown): string[] {
  return (body as { items: { metadata: { name: string } }[] }).items.map((item) => item.metadata.name);
}

function metadataOf(body: unknown) {
  return (body as { metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number } }).metadata;
}

beforeEach(async () => {
  fixture = await startWithAda();
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    running().store.create(makePod({ name, namespace: 'prod', labels: { tier: name < 'c' ? 'web' : 'db' } }));
  }
  running().store.create(makePod({ name: 'elsewhere', namespace: 'other', phase: 'Pending', node: '' }));
});

afterEach(() => running().kas.close());

describe('lists', () => {
  it('answer a namespace or everything, in the order of namespace and name', async () => {
    const { ada } = running();
    expect(namesOf((await ada.send(PODS)).body)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(namesOf((await ada.send('/api/v1/pods')).body)).toEqual(['elsewhere', 'a', 'b', 'c', 'd', 'e']);
  });

  it('select by label and by field', async () => {
    const { ada } = running();
    const names = async (query: string) => namesOf((await ada.send(`/api/v1/pods?${query}`)).body);
    expect(await names('labelSelector=tier%3Dweb')).toEqual(['a', 'b']);
    expect(await names('labelSelector=tier%20in%20(web%2C%20db)%2Ctier!%3Dweb')).toEqual(['c', 'd', 'e']);
    expect(await names('labelSelector=!tier')).toEqual(['elsewhere']);
    expect(await names('fieldSelector=metadata.name%3Dd')).toEqual(['d']);
    expect(await names('fieldSelector=status.phase!%3DRunning')).toEqual(['elsewhere']);
    expect((await ada.send('/api/v1/pods?fieldSelector=spec.color%3Dred')).status).toBe(400);
  });

  it('page through one snapshot while the collection changes', async () => {
    const { ada, store } = running();
    const first = await ada.send(`${PODS}?limit=2`);
    store.delete('pods', 'prod', 'c');
    store.create(makePod({ name: 'cc', namespace: 'prod' }));
    const second = await ada.send(`${PODS}?limit=2&continue=${metadataOf(first.body).continue ?? ''}`);
    const third = await ada.send(`${PODS}?limit=2&continue=${metadataOf(second.body).continue ?? ''}`);
    expect([first, second, third].map(({ body }) => namesOf(body))).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(metadataOf(first.body).remainingItemCount).toBe(3);
    expect(metadataOf(third.body).continue).toBeUndefined();
    expect(metadataOf(third.body).resourceVersion).toBe(metadataOf(first.body).resourceVersion);
  });

  it('answer 410 with an inconsistent token once the snapshot is compacted', async () => {
    const { ada, store } = running();
    const first = await ada.send(`${PODS}?limit=2`);
    store.create(makePod({ name: 'bb', namespace: 'prod' }));
    store.compact();
    const second = await ada.send(`${PODS}?limit=2&continue=${metadataOf(first.body).continue ?? ''}`);
    expect(second.status).toBe(410);
    const rest = await ada.send(`${PODS}?limit=9&continue=${metadataOf(second.body).continue ?? ''}`);
    expect(namesOf(rest.body)).toEqual(['bb', 'c', 'd', 'e']);
    expect(metadataOf(rest.body).resourceVersion).not.toBe(metadataOf(first.body).resourceVersion);
  });

  it('follow the rules for resourceVersion', async () => {
    const { ada, store } = running();
    const old = store.revision;
    store.create(makePod({ name: 'f', namespace: 'prod' }));
    const list = (query: string) => ada.send(`${PODS}?${query}`);
    expect(namesOf((await list(`resourceVersion=${old}`)).body)).toHaveLength(6);
    expect(namesOf((await list(`resourceVersion=${old}&resourceVersionMatch=Exact`)).body)).toHaveLength(5);
    expect(namesOf((await list(`resourceVersion=${old}&limit=9`)).body)).toHaveLength(5);
    expect(namesOf((await list(`resourceVersion=${old}&resourceVersionMatch=NotOlderThan&limit=2`)).body)).toHaveLength(
      2,
    );
    expect(namesOf((await list('resourceVersion=0&limit=2')).body)).toHaveLength(6);
    expect((await list('resourceVersionMatch=NotOlderThan')).status).toBe(422);
    expect((await list('resourceVersion=abc')).status).toBe(400);
    store.compact();
    expect((await list(`resourceVersion=${old}&resourceVersionMatch=Exact`)).status).toBe(410);
    const future = await list(`resourceVersion=${BigInt(store.revision) + 10n}`);
    expect(future.status).toBe(504);
    expect(future.headers['retry-after']).toBe('1');
    expect(future.body).toMatchObject({
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  });

  it('wait a moment for a version that is about to come', async () => {
    const { ada, store } = running();
    const next = BigInt(store.revision) + 1n;
    setTimeout(() => store.advance(), 15);
    expect((await ada.send(`${PODS}?resourceVersion=${next}`)).status).toBe(200);
  });
});

describe('writes', () => {
  it('create, update, patch and delete over HTTP', async () => {
    const { ada, store } = running();
    const created = await ada.send(PODS, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'n' } },
    });
    expect(created.status).toBe(201);
    const again = await ada.send(PODS, { method: 'POST', body: { metadata: { name: 'n' } } });
    expect(again.body).toMatchObject({ code: 409, reason: 'AlreadyExists' });
    const patch = (contentType: string, body: object) =>
      ada.send(`${PODS}/n`, { method: 'PATCH', contentType, body: JSON.parse(JSON.stringify(body)) });
    await patch('application/merge-patch+json', { metadata: { annotations: { a: '1' } } });
    await patch('application/strategic-merge-patch+json', { metadata: { labels: { b: '2' } } });
    await patch('application/json-patch+json', [{ op: 'replace', path: '/metadata/annotations/x~1y', value: '3' }]);
    expect(store.get('pods', 'prod', 'n')?.metadata).toMatchObject({
      annotations: { a: '1', 'x/y': '3' },
      labels: { b: '2' },
    });
    expect((await patch('application/json-patch+json', [{ op: 'replace', path: '/spec/a/b', value: 1 }])).status).toBe(
      422,
    );
    expect((await patch('text/plain', {})).status).toBe(415);
    const wrongUid = { method: 'DELETE', body: { preconditions: { uid: 'other' } } };
    expect((await ada.send(`${PODS}/n`, wrongUid)).status).toBe(409);
    const gentle = await ada.send(`${PODS}/n`, { method: 'DELETE' });
    expect(gentle.body).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 30 } });
    await expect.poll(() => store.get('pods', 'prod', 'n')).toBeUndefined();
    expect((await ada.send(`${PODS}/n`)).body).toMatchObject({ code: 404, message: 'pods "n" not found' });
    await ada.send(`${PODS}/a?gracePeriodSeconds=0`, { method: 'DELETE' });
    expect(store.get('pods', 'prod', 'a')).toBeUndefined();
  });

  it('scale a workload and keep spec and status apart', async () => {
    const { ada, store } = running();
    store.create(makeDeployment({ name: 'web', namespace: 'prod', replicas: 2 }));
    const path = '/apis/apps/v1/namespaces/prod/deployments/web';
    const contentType = 'application/merge-patch+json';
    const scaled = await ada.send(`${path}/scale`, { method: 'PATCH', contentType, body: { spec: { replicas: 5 } } });
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    await ada.send(path, { method: 'PATCH', contentType, body: { status: { replicas: 77 } } });
    expect(store.get('deployments', 'prod', 'web')).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 2 } });
    await ada.send(`${path}/status`, {
      method: 'PATCH',
      contentType,
      body: { status: { replicas: 3 }, spec: { replicas: 9 } },
    });
    expect(store.get('deployments', 'prod', 'web')).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 3 } });
  });

  it('leave nothing behind on a dry run', async () => {
    const { ada, store } = running();
    const before = store.revision;
    await ada.send(`${PODS}?dryRun=All`, { method: 'POST', body: { metadata: { name: 'n' } } });
    await ada.send(`${PODS}/a?dryRun=All`, { method: 'DELETE' });
    expect(store.revision).toBe(before);
  });
});

describe('discovery', () => {
  it('tells what is served', async () => {
    const { ada, api } = running();
    expect((await ada.send('/version')).body).toMatchObject({ major: '1' });
    const flux = await ada.send('/apis/kustomize.toolkit.fluxcd.io');
    expect(flux.body).toMatchObject({ kind: 'APIGroup', preferredVersion: { version: 'v1' } });
    expect((await ada.send('/api/v1')).text).toContain('"pods/log"');
    api.resources.remove('kustomizations.kustomize.toolkit.fluxcd.io');
    expect((await ada.send('/apis/kustomize.toolkit.fluxcd.io')).status).toBe(404);
    const gone = await ada.send('/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/prod/kustomizations');
    expect([gone.status, gone.text]).toEqual([404, '404 page not found\n']);
  });
});

describe('logs', () => {
  it('are cut, stamped and followed as asked', async () => {
    const { ada, api, store } = running();
    store.create(makePod({ name: 'two', namespace: 'prod', containers: [{ name: 'app' }, { name: 'proxy' }] }));
    expect((await ada.send(`${PODS}/two/log`)).body).toMatchObject({
      code: 400,
      message: 'a container name must be specified for pod two, choose one of: [app proxy]',
    });
    for (const line of ['one', 'zwei ü', 'three']) api.logs.append('prod', 'two', 'app', line);
    const read = async (query: string) => (await ada.send(`${PODS}/two/log?container=app&${query}`)).text;
    expect(await read('')).toBe('one\nzwei ü\nthree\n');
    expect(await read('tailLines=1')).toBe('three\n');
    expect(await read('tailLines=1&timestamps=true')).toMatch(/^20\S+Z three\n$/);
    expect(await read('previous=true')).toContain('previous terminated container');
    const following = ada.send(`${PODS}/two/log?container=app&follow=true&tailLines=0`);
    await expect.poll(() => running().kas.inFlight({ subresource: 'log' }).length).toBe(1);
    api.logs.append('prod', 'two', 'app', 'four');
    api.logs.restart('prod', 'two', 'app');
    expect((await following).text).toBe('four\n');
    expect(await read('previous=true&tailLines=1')).toBe('four\n');
  });
});

describe('services', () => {
  it('carry their load balancer', async () => {
    const { ada, store } = running();
    store.create(
      makeService({ name: 'web', namespace: 'prod', type: 'LoadBalancer', ingress: [{ ip: '203.0.113.7' }] }),
    );
    const answer = await ada.send('/api/v1/namespaces/prod/services/web');
    expect(answer.body).toMatchObject({ status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } });
  });
});
