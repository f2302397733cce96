import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createClient } from 'graphql-ws';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makePod } from '../../demo/apiserver/objects.ts';
import { eventually } from '../support/eventually.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** Every client decodes what was compressed once for all of them, whatever its id. */

const LIVE = `subscription ($namespace: String) {
  k8sPods(agentId: "1", namespace: $namespace) { type upserted { id metadata { name labels } } removed total }
}`;

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  for (let index = 0; index < 50; index += 1) {
    whole.store.create(makePod({ name: `pod-${index}`, namespace: 'wide', labels: { text: '€😀'.repeat(20) } }));
  }
});

afterAll(() => whole.stop());

class Plain extends WebSocket {
  constructor(url: string, protocol: string) {
    super(url, protocol, { perMessageDeflate: false });
  }
}

describe.each([
  ['ws', WebSocket],
  ['ws without compression', Plain],
  ['undici', UndiciWebSocket],
])('%s', (_name, webSocketImpl) => {
  it.each(['1', 'id-'.repeat(50), '"}],{\\', '\u2028\n\u0000', '😀\ud800', 'x'.repeat(20_000)])(
    'reads messages with id %j',
    async (id) => {
      const client = createClient({
        url: `${whole.server.url.replace('http', 'ws')}/graphql`,
        webSocketImpl,
        connectionParams: { Authorization: `Bearer ${tokenOf('ada')}` },
        retryAttempts: 0,
        generateID: () => id,
      });
      const seen: { type: string; upserted: { metadata: { name: string } }[]; total: number }[] = [];
      const problems: unknown[] = [];
      client.subscribe<{ k8sPods: (typeof seen)[number] }>(
        { query: LIVE, variables: { namespace: 'wide' } },
        {
          next: ({ data }) => data && seen.push(data.k8sPods),
          error: (error) => problems.push(error),
          complete: () => {},
        },
      );
      await eventually(
        'the snapshot',
        () => seen.length === 1,
        5_000,
        () => problems,
      );
      expect(seen[0]?.upserted.length).toBe(seen[0]?.total);
      const name = `late-${Math.random().toString(36).slice(2)}`;
      whole.store.create(makePod({ name, namespace: 'wide', labels: { text: 'long '.repeat(400) } }));
      await eventually(
        'the change',
        () => seen.at(-1)?.upserted[0]?.metadata.name === name,
        5_000,
        () => problems,
      );
      expect(problems).toEqual([]);
      await client.dispose();
    },
  );
});

it('keeps no compressor of its own, and compresses what it sends to those who take it', async () => {
  const raw = new WebSocket(`${whole.server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  let tcp: Socket | undefined;
  raw.on('upgrade', (response) => (tcp = response.socket));
  await once(raw, 'open');
  expect(raw.extensions).toBe('permessage-deflate');
  const messages: string[] = [];
  raw.on('message', (data: Buffer) => messages.push(data.toString()));
  raw.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf('ada')}` } }));
  await eventually('the acknowledgement', () => messages.length === 1, 5_000);
  const before = tcp?.bytesRead ?? 0;
  const payload = { query: LIVE, variables: { namespace: 'wide' } };
  raw.send(JSON.stringify({ id: '7', type: 'subscribe', payload }));
  await eventually('the snapshot', () => messages.length === 2, 5_000);
  const received = (tcp?.bytesRead ?? 0) - before;
  expect(received).toBeGreaterThan(0);
  expect(received).toBeLessThan(Buffer.byteLength(messages[1] ?? '') / 4);
  raw.terminate();
});
