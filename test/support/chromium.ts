import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATH = process.env['KASCADE_TEST_CHROMIUM'] ?? ['/usr/bin/chromium'].find((path) => existsSync(path));

/** Whether tests in a browser can run; if not, `what` is said to be skipped. */
export function hasChromium(what: string): boolean {
  if (PATH === undefined) console.error(`SKIPPED: ${what}, because there is no Chromium (set KASCADE_TEST_CHROMIUM).`);
  return PATH !== undefined;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
