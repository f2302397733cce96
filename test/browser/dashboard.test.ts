import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makePod } from '../../demo/apiserver/objects.ts';
import { production, startCluster } from '../../demo/cluster/index.ts';
import { buildDashboard } from '../../demo/dashboard/build.ts';
import { serveDashboard, type Dashboard } from '../../demo/dashboard/serve.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { pause } from '../support/eventually.ts';
import { tokenOf, WholeServer } from '../support/whole-server.ts';

/** The page of examples/dashboard as a person uses it, with Kascade under a prefix. */

const WITHIN_MS = 15_000;
const IMAGES = new URL('../../docs/images/', import.meta.url).pathname;

function pod(name: string, namespace: string, waiting?: string) {
  const container = { name: 'app', ...(waiting !== undefined && { waiting, ready: false, restarts: 3 }) };
  return makePod({ name, namespace, containers: [container] });
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const badge = (page: Page, text: string) => page.getByRole('button', { name: `Connection: ${text}` }).waitFor();

async function rowsOf(page: Page): Promise<string[]> {
  return page.locator('tbody tr td:nth-child(-n+3)').allInnerTexts();
}

describe.skipIf(!hasChromium('the dashboard in a browser'))('the dashboard in Chromium', { timeout: 60_000 }, () => {
  let whole: WholeServer;
  let dashboard: Dashboard;
  let browser: Browser;
  const opened: Page[] = [];
  const problems: string[] = [];

  beforeAll(async () => {
    dashboard = await serveDashboard(await buildDashboard(), 0);
    whole = await WholeServer.start({ ALLOWED_ORIGINS: dashboard.origins.join(), BASE_PATH: '/-/kascade' });
    whole.allow('eve', 'shop');
    dashboard.configure({
      graphql: `${whole.server.url}/graphql`,
      agents: [{ id: '1', name: 'production' }],
      viewers: ['ada', 'eve'].map((name) => ({ name, token: tokenOf(name) })),
      namespace: 'shop',
    });
    browser = await launchChromium();
  }, 60_000);

  afterEach(async () => {
    for (const page of opened.splice(0)) await page.close();
  });

  afterAll(async () => {
    await browser.close();
    await dashboard.close();
    await whole.stop();
  });

  async function open(namespace: string, scheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1_280, height: 760 }, colorScheme: scheme });
    page.setDefaultTimeout(WITHIN_MS);
    opened.push(page);
    const known = new Set([dashboard.url, new URL(whole.server.url).origin]);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!known.has(new URL(request.url()).origin)) problems.push(`it went to ${request.url()}`);
    });
    await page.goto(`${dashboard.url}/#${new URLSearchParams({ namespace }).toString()}`);
    return page;
  }

  it('shows a pod that fails and heals', async () => {
    whole.store.create(pod('web-0', 'healing'));
    const page = await open('healing');
    await row(page, 'web-0').getByText('Running').waitFor();
    await page.getByRole('button', { name: 'Running 1' }).waitFor();

    whole.store.update(pod('web-0', 'healing', 'CrashLoopBackOff'));
    await row(page, 'web-0').getByText('CrashLoopBackOff', { exact: true }).waitFor();
    await row(page, 'web-0').getByText('0/1').waitFor();
    await page.getByRole('button', { name: 'CrashLoopBackOff 1' }).waitFor();

    whole.store.update(pod('web-0', 'healing'));
    await row(page, 'web-0').getByText('Running').waitFor();
    await row(page, 'web-0').getByText('1/1').waitFor();
    expect(await rowsOf(page)).toEqual(['web-0', 'Running', '1/1']);
  });

  it('tells the truth about the connection, and reconnects', async () => {
    whole.store.create(pod('web-0', 'cut-off'));
    const page = await open('cut-off');
    await row(page, 'web-0').waitFor();
    await badge(page, 'Synced');

    whole.kas.agent(1).disconnect();
    await badge(page, 'Disconnected');
    await page.getByRole('button', { name: 'Connection: Disconnected' }).click();
    const details = page.getByRole('region', { name: 'Connection' });
    await details.getByText('Agent not connected').first().waitFor();
    await details
      .getByText(/failed tr/)
      .first()
      .waitFor();
    expect(await details.getByRole('listitem').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^kas\s*good$/), expect.stringMatching(/^agent\s*bad$/)]),
    );
    await row(page, 'web-0').waitFor(); // what was known stays to be read

    const asked = whole.kas.requests.length;
    const reconnect = page.getByRole('button', { name: 'Reconnect' });
    await reconnect.click();
    await expect.poll(() => whole.kas.requests.length).toBeGreaterThan(asked);

    whole.store.create(pod('web-1', 'cut-off'));
    whole.kas.agent(1).connect();
    // The connection comes back by itself, too: the button may be gone before a hand gets there.
    await reconnect.click({ timeout: 2_000 }).catch(() => undefined);
    await badge(page, 'Synced');
    await row(page, 'web-1').waitFor();
  });

  it('shows the same in two tabs, and what the cluster has', async () => {
    whole.store.create(pod('steady', 'twice'));
    const tabs = [await open('twice'), await open('twice')];
    for (const page of tabs) await row(page, 'steady').waitFor();
    for (let index = 0; index < 20; index += 1) {
      whole.store.create(pod(`pod-${index}`, 'twice', index % 3 === 0 ? 'ImagePullBackOff' : undefined));
      if (index % 4 === 3) whole.store.delete('pods', 'twice', `pod-${index - 2}`, { gracePeriodSeconds: 0 });
      await pause(10);
    }
    const names = whole.store.list('pods', 'twice').map(({ metadata }) => metadata.name);
    for (const page of tabs) await page.getByRole('tab', { name: `Pods ${names.length}`, exact: true }).waitFor();
    for (const page of tabs) for (const name of names) await page.getByText(name, { exact: true }).waitFor();
    const [first = [], second] = await Promise.all(tabs.map(rowsOf));
    expect(first).toEqual(second);
    expect(first.filter((_, index) => index % 3 === 0).toSorted()).toEqual(names.toSorted());
  });

  it('opens a pod with the keyboard, and deletes it only after asking', async () => {
    whole.store.create(pod('doomed', 'deleting'));
    const page = await open('deleting');
    const name = page.getByRole('button', { name: 'doomed' });
    await name.waitFor();
    await name.focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('complementary', { name: 'Pod doomed' });
    await drawer.getByText('node-a').waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    expect(await name.evaluate('document.activeElement.textContent')).toBe('doomed');

    await page.keyboard.press('Enter');
    await drawer.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(whole.store.get('pods', 'deleting', 'doomed')?.metadata.deletionTimestamp).toBeUndefined();
    await drawer.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete pod' }).click();
    await page.getByText('doomed is being deleted.').waitFor();
    await drawer.getByText('Gone').waitFor();
    await page.getByText('There are no pods here').waitFor();
  });

  it('is honest about what is empty and what is forbidden', async () => {
    const page = await open('void');
    await page.getByText('There are no pods here').waitFor();
    await page.getByLabel('As').selectOption('eve');
    await page.getByText('You may not see this').waitFor();
    await page.getByText('FORBIDDEN').waitFor();
    await page.getByLabel('Namespace').fill('shop'); // eve may not list namespaces: it is typed
    await page.keyboard.press('Enter');
    await page.getByText('There are no pods here').waitFor();
    expect(page.url()).not.toContain(tokenOf('eve'));
  });

  it.runIf(process.env['KASCADE_SCREENSHOTS'] === '1')('is photographed for the README', async () => {
    const manifests = production().filter(({ kind }) => kind !== 'Namespace');
    const cluster = startCluster(whole.kas.agent(1).api, manifests, { seed: 7, speed: 1, incidents: false });
    try {
      const light = await open('shop');
      await light.getByRole('button', { name: 'ImagePullBackOff 1' }).waitFor();
      await light.getByRole('button', { name: 'CrashLoopBackOff 1' }).waitFor();
      await pause(2_000); // until nothing lights up any more
      await light.screenshot({ path: `${IMAGES}dashboard.png` });
      const dark = await open('shop', 'dark');
      await dark.getByRole('button', { name: /^recommendations/ }).click();
      await dark.getByRole('tab', { name: 'Events' }).click();
      await dark.getByText('BackOff', { exact: true }).first().waitFor();
      await pause(500);
      const image = await dark.screenshot({ path: `${IMAGES}dashboard-pod.png` });
      expect(image.length).toBeLessThan(300_000);
    } finally {
      cluster.stop();
    }
  });

  it('says that Kascade is away, and when it tries again', async () => {
    whole.store.create(pod('last', 'away'));
    const page = await open('away');
    await row(page, 'last').waitFor();
    await whole.server.stop();
    await page
      .getByRole('button', { name: 'Connection: Offline' })
      .getByText(/in \d+ s|now/)
      .waitFor();
    expect(await rowsOf(page)).toEqual(['last', 'Running', '1/1']);
  });

  it('went nowhere else, and had no errors', () => {
    expect(problems).toEqual([]);
  });
});
