import { Configuration, CoreV1Api, WatchApi, WebSocketWatchManager } from '@gitlab/cluster-client';
import type { ClusterObject } from '@gitlab/cluster-client';
import { Agent, fetch } from 'undici';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { makeDeployment, makePod } from '../../apiserver/objects.ts';
import { startWithAda } from '../../test-client.ts';

/**
 * GitLab's own client, as its dashboard uses it, against the stand-in: what they understand of each other is the real
 * protocol, whatever Kascade makes of it. The client knows no other scheme than https.
 */

let fixture: Awaited<ReturnType<typeof startWithAda>>;
let configuration: Configuration;
let dispatcher: Agent;

beforeEach(async () => {
  fixture = await startWithAda({ tls: true });
  const { kas } = fixture;
  const ca = kas.secure?.certificate;
  dispatcher = new Agent({ connect: { ca } });
  configuration = new Configuration({
    basePath: kas.secure?.url ?? '',
    headers: { Authorization: `Bearer ${kas.bearer('ada')}` },
    fetchApi: (url, init) => fetch(url, { ...init, dispatcher }),
  });
  // A browser's WebSocket that trusts the demo's certificate.
  class TrustingWebSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { ca });
    }
  }
  vi.stubGlobal('WebSocket', TrustingWebSocket);
  for (const name of ['a', 'b']) fixture.store.create(makePod({ name, namespace: 'prod' }));
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await fixture.kas.close();
  await dispatcher.destroy();
});

const names = (objects: readonly ClusterObject[]) => objects.map(({ metadata }) => metadata.name).toSorted();

it('lists, and watches over HTTP', async () => {
  const { items } = await new CoreV1Api(configuration).listCoreV1NamespacedPod({ namespace: 'prod' });
  expect(names(items)).toEqual(['a', 'b']);
  const watch = new WatchApi(configuration);
  let seen: ClusterObject[] = [];
  watch.on('data', (objects) => (seen = objects));
  await watch.subscribeToStream('/api/v1/namespaces/prod/pods', { watch: true });
  await expect.poll(() => names(seen)).toEqual(['a', 'b']);
  fixture.store.create(makePod({ name: 'c', namespace: 'prod' }));
  await expect.poll(() => names(seen)).toEqual(['a', 'b', 'c']);
  watch.abortStream();
});

it('watches several collections over one WebSocket, opened with a token', async () => {
  const { store, kas } = fixture;
  const manager = new WebSocketWatchManager(configuration);
  const seen: Record<string, string[]> = {};
  const follow = async (watchId: string, watchParams: Record<string, unknown>) => {
    manager.on('data', watchId, (objects) => (seen[watchId] = names(objects)));
    await manager.initConnection({ message: { watchId, watchParams } });
  };
  await follow('pods', { version: 'v1', resource: 'pods', namespace: 'prod' });
  await follow('one', { version: 'v1', resource: 'pods', namespace: 'prod', fieldSelector: 'metadata.name=b' });
  await follow('deployments', { group: 'apps', version: 'v1', resource: 'deployments' });
  store.create(makeDeployment({ name: 'd', namespace: 'prod' }));
  await expect.poll(() => seen).toEqual({ pods: ['a', 'b'], one: ['b'], deployments: ['d'] });
  store.create(makePod({ name: 'c', namespace: 'prod' }));
  store.delete('pods', 'prod', 'a');
  await expect.poll(() => seen['pods']).toEqual(['b', 'c']);
  expect(seen['one']).toEqual(['b']);
  expect(kas.watchApi.connections).toHaveLength(1);
  expect(kas.watchApi.connections[0]?.watches).toEqual(['pods', 'one', 'deployments']);
  expect(kas.watchApi.tokens).toMatchObject({ issued: 1, used: 1, pending: 0 });
  manager.websocket?.close();
  await expect.poll(() => kas.inFlight({ verb: 'watch' })).toEqual([]);
});

it('is told of errors with the words of the cluster, and of ends', async () => {
  const { kas } = fixture;
  const manager = new WebSocketWatchManager(configuration);
  const errors: unknown[] = [];
  manager.on('error', 'w', (error) => errors.push(error));
  await manager.initConnection({ message: { watchId: 'w', watchParams: { version: 'v1', resource: 'nothings' } } });
  await expect.poll(() => errors).toHaveLength(1);
  const message = 'the server could not find the requested resource';
  expect(errors).toEqual([{ eventType: 'error', message: expect.stringContaining(message) as string }]);
  await manager.initConnection({ message: { watchId: 'w', watchParams: { version: 'v1', resource: 'pods' } } });
  await expect.poll(() => kas.inFlight({ verb: 'watch' })).toHaveLength(1);
  kas.watchApi.connections[0]?.stop('w');
  await expect.poll(() => errors).toHaveLength(2);
  expect(errors[1]).toEqual({ eventType: 'stop', message: undefined });
  manager.websocket?.close();
});
