import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** A browser compresses what it sends, and takes what was compressed once for everybody. */

const CHROMIUM = process.env['KASCADE_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const QUERY = `subscription { k8sPods(agentId: "1", namespace: "shop") { type total upserted { metadata { name labels } } } }`;

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start();
  for (let index = 0; index < 30; index += 1) whole.store.create(makePod({ name: `pod-${index}`, namespace: 'shop' }));
});

afterAll(() => whole.stop());

it.skipIf(!existsSync(CHROMIUM))(
  'negotiates compression with Chromium, which reads every message',
  { timeout: 60_000 },
  async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage({ bypassCSP: true });
      await page.goto(`${whole.server.url}/healthz`);
      const url = `${whole.server.url.replace('http', 'ws')}/graphql`;
      const seen = page.evaluate(
        async ([address = '', authorization = '', query = '']) => {
          const socket = new WebSocket(address, 'graphql-transport-ws');
          const messages: string[] = [];
          await new Promise((resolve, reject) => {
            const init = JSON.stringify({ type: 'connection_init', payload: { authorization } });
            const subscribe = JSON.stringify({ id: 'q"1', type: 'subscribe', payload: { query } });
            socket.addEventListener('open', () => socket.send(init));
            socket.addEventListener('close', reject);
            socket.addEventListener('message', ({ data }) => {
              messages.push(String(data));
              if (messages.length === 1) socket.send(subscribe);
              if (messages.length === 3) resolve(undefined);
            });
          });
          return { extensions: socket.extensions, messages };
        },
        [url, `Bearer ${tokenOf('ada')}`, QUERY],
      );
      const change = setInterval(() => {
        whole.store.patch('pods', 'shop', 'pod-1', { metadata: { labels: { at: String(Date.now()) } } });
      }, 300);
      const { extensions, messages } = await seen.finally(() => clearInterval(change));
      expect(extensions).toContain('permessage-deflate');
      const [, snapshot, changes] = messages.map((text) => JSON.parse(text) as { id: string; payload: unknown });
      expect(snapshot).toMatchObject({ id: 'q"1', payload: { data: { k8sPods: { type: 'SNAPSHOT', total: 30 } } } });
      expect(changes).toMatchObject({ payload: { data: { k8sPods: { type: 'CHANGES', upserted: [{}] } } } });
    } finally {
      await browser.close();
    }
  },
);
