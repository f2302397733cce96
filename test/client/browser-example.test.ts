import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

const PAGE = readFileSync(new URL('../../examples/clients/browser.html', import.meta.url));

describe.skipIf(!hasChromium('examples/clients/browser.html'))('examples/clients/browser.html', () => {
  let whole: WholeServer;
  let browser: Browser;
  let pages: Server;
  let origin: string;

  beforeAll(async () => {
    pages = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(PAGE));
    await once(pages.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    whole = await WholeServer.start({ ALLOWED_ORIGINS: origin });
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    pages.close();
    await whole.stop();
  });

  it('shows a list, live, from an allowed origin and with nothing but fetch', async () => {
    whole.store.create(makePod({ name: 'first', namespace: 'plain' }));
    const page = await browser.newPage();
    const parameters = { url: `${whole.server.url}/graphql`, token: tokenOf('ada'), namespace: 'plain' };
    await page.goto(`${origin}/?${new URLSearchParams(parameters).toString()}`);
    await page.getByText('first Running').waitFor({ timeout: 15_000 });
    whole.store.create(makePod({ name: 'second', namespace: 'plain' }));
    await page.getByText('second Running').waitFor({ timeout: 15_000 });
    whole.store.delete('pods', 'plain', 'first');
    await page.getByText('first Running').waitFor({ state: 'detached', timeout: 15_000 });
    expect(await page.getByRole('listitem').allInnerTexts()).toEqual(['second Running']);
  }, 60_000);
});
