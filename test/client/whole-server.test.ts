import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makePod } from '../../demo/apiserver/objects.ts';
import { ask, live, liveValue, overWebSocket, sse, type Subscribe } from '../../client/index.ts';
import { DeletePod, LiveConnection, LivePods, Pods } from '../../client/generated.ts';
import { readConfig } from '../../src/config.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import { eventually } from '../support/eventually.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** The helper against a whole server, over both transports. */

const quickly = { backoff: () => 50 };
const headers = { authorization: `Bearer ${tokenOf('ada')}` };

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  whole.allow('eve', 'shop');
});

afterAll(() => whole.stop());

function pod(name: string, namespace: string) {
  return whole.store.create(makePod({ name, namespace }));
}

function transports(url: () => string): [name: string, make: (user?: string) => Subscribe][] {
  return [
    [
      'graphql-ws',
      (user = 'ada') =>
        overWebSocket(
          createClient({
            url: `${url().replace('http', 'ws')}/graphql`,
            webSocketImpl: WebSocket,
            connectionParams: { Authorization: `Bearer ${tokenOf(user)}` },
            retryAttempts: 0,
          }),
        ),
    ],
    ['SSE', (user = 'ada') => sse({ url: `${url()}/graphql`, headers: { authorization: `Bearer ${tokenOf(user)}` } })],
  ];
}

describe.each(transports(() => whole.server.url))('over %s', (name, make) => {
  const namespace = `live-${name.toLowerCase()}`;

  it('shows a list, live', async () => {
    const first = pod('first', namespace);
    const pods = live(make(), LivePods, { agentId: '1', namespace }, quickly);
    const names = () => pods.get().value.items.map(({ metadata }) => metadata.name);
    await eventually('the snapshot', () => pods.get().loaded, 5_000, pods.get);
    expect(names()).toEqual(['first']);
    const before = pods.get().value.byId.get(first.metadata.uid);
    pod('second', namespace);
    await eventually('the change', () => names().includes('second'), 5_000, names);
    expect(pods.get().value.byId.get(first.metadata.uid)).toBe(before);
    whole.store.delete('pods', namespace, 'first');
    await eventually('the removal', () => names().join() === 'second', 5_000, names);
    pods.stop();
  });

  it('says what is forbidden, and does not try again', async () => {
    const pods = live(make('eve'), LivePods, { agentId: '1', namespace: 'payments' }, quickly);
    await eventually('the refusal', () => pods.get().status === 'failed', 5_000, pods.get);
    expect(pods.get().error).toMatchObject({ code: 'FORBIDDEN', retryable: false });
    expect(pods.get().error?.remedy).toMatch(/right/);
    pods.stop();
  });

  it('shows the connection', async () => {
    const pods = live(make(), LivePods, { agentId: '1', namespace }, quickly);
    const connection = liveValue(make(), LiveConnection, { agentId: '1', namespace }, quickly);
    await eventually('CONNECTED', () => connection.get().value?.status === 'CONNECTED', 5_000, connection.get);
    expect(connection.get().value?.resources.map(({ resource }) => resource)).toContain('k8sPods');
    pods.stop();
    connection.stop();
  });
});

describe('a server that restarts', () => {
  let server: RunningServer;
  let port: string;

  async function start(): Promise<void> {
    const config = { KAS_URL: whole.kas.url, PORT: port, LINGER_SECONDS: '1', DRAIN_SECONDS: '0', LOG_LEVEL: 'silent' };
    server = await startServer(readConfig(config));
    port = new URL(server.url).port;
  }

  beforeAll(async () => {
    port = '0';
    await start();
  });

  afterAll(() => server.stop());

  it.each(transports(() => server.url))('is come back to over %s', async (name, make) => {
    const namespace = `restart-${name.toLowerCase()}`;
    pod('before', namespace);
    const pods = live(make(), LivePods, { agentId: '1', namespace }, quickly);
    await eventually('the snapshot', () => pods.get().loaded, 5_000, pods.get);
    await server.stop();
    await eventually('knowing it is cut', () => pods.get().status !== 'live', 5_000, pods.get);
    expect(pods.get().value.items).toHaveLength(1);
    pod('meanwhile', namespace);
    await start();
    await eventually('both', () => pods.get().value.items.length === 2, 10_000, pods.get);
    expect(pods.get()).toMatchObject({ status: 'live', error: undefined });
    pods.stop();
  });
});

describe('ask', () => {
  it('answers with data, typed', async () => {
    pod('asked', 'asking');
    const url = `${whole.server.url}/graphql`;
    const { k8sPods } = await ask({ url, headers }, Pods, { agentId: '1', namespace: 'asking' });
    expect(k8sPods.nodes.map(({ metadata }) => metadata.name)).toEqual(['asked']);
  });

  it('throws what the server says', async () => {
    const url = `${whole.server.url}/graphql`;
    const doomed = { agentId: '1', namespace: 'asking', name: 'not-there' };
    await expect(ask({ url, headers }, DeletePod, doomed)).rejects.toMatchObject({
      name: 'KascadeError',
      code: 'NOT_FOUND',
      retryable: false,
    });
    await expect(ask({ url }, DeletePod, doomed)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('says that nobody is there', async () => {
    const nobody = { url: 'http://127.0.0.1:9/graphql', headers };
    await expect(ask(nobody, Pods, { agentId: '1' })).rejects.toMatchObject({ code: 'NETWORK', retryable: true });
  });
});
