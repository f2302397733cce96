import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** GraphiQL as a person uses it: in a browser that reaches nothing but Kascade. */

const CHROMIUM = process.env['KASCADE_TEST_CHROMIUM'] ?? ['/usr/bin/chromium'].find((path) => existsSync(path));
if (CHROMIUM === undefined)
  console.error('SKIPPED: GraphiQL in a browser, because there is no Chromium (set KASCADE_TEST_CHROMIUM).');

const QUERY = '{ k8sPods(agentId: "1", namespace: "shop") { totalCount nodes { displayStatus } } }';
const LIVE = 'subscription { k8sPods(agentId: "1", namespace: "shop") { type total } }';

describe.skipIf(CHROMIUM === undefined)('GraphiQL in Chromium', () => {
  let whole: WholeServer;
  let browser: Browser;
  let page: Page;
  const elsewhere: string[] = [];

  beforeAll(async () => {
    whole = await WholeServer.start();
    whole.store.create(makePod({ name: 'web-0', namespace: 'shop' }));
    browser = await chromium.launch({
      executablePath: CHROMIUM ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage();
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== new URL(whole.server.url).origin)
        elsewhere.push(request.url());
    });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await whole.stop();
  });

  async function open(query: string): Promise<void> {
    // What a person types is kept in the browser's storage: begin each time with nothing typed.
    await page.goto(whole.server.url.concat('/healthz'));
    await page.evaluate('localStorage.clear(); sessionStorage.clear();');
    await page.goto(`${whole.server.url}/graphql?${new URLSearchParams({ query }).toString()}`);
    await page.waitForSelector('.graphiql-execute-button', { timeout: 30_000 });
    await page.getByRole('button', { name: 'Headers', exact: true }).click();
    await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
    await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${tokenOf('ada')}` }));
  }

  /** Asked from here: the page's security policy lets nobody evaluate anything in it, the test included. */
  async function answer(text: string): Promise<void> {
    const end = performance.now() + 15_000;
    let shown = '';
    while (!shown.includes(text)) {
      if (performance.now() > end) throw new Error(`GraphiQL does not show ${text}, but ${shown}`);
      shown = ((await page.locator('.result-window').textContent()) ?? '').replaceAll(/\s/g, '');
    }
  }

  it('loads without the internet, and runs a query with the headers of its tab', async () => {
    await open(QUERY);
    await page.click('.graphiql-execute-button');
    await answer('"totalCount":1');
    await answer('"displayStatus":"Running"');
    expect(elsewhere).toEqual([]);
  }, 60_000);

  it('shows a subscription live', async () => {
    await open(LIVE);
    await page.click('.graphiql-execute-button');
    await answer('"type":"SNAPSHOT","total":1');
    whole.store.create(makePod({ name: 'web-1', namespace: 'shop' }));
    await answer('"type":"CHANGES","total":2');
    expect(elsewhere).toEqual([]);
  }, 60_000);
});
