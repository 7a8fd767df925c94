import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';

describe.skipIf(missing !== undefined)('settings', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('what was set is told apart from what was not, and secrets are not shown', async () => {
    const token = 'an-operator-token-for-tests';
    await using bridge = await startBridge({ env: { OPERATOR_TOKEN: token, GRACE_SECONDS: '7' } });
    await using opened = await openPage(browser, bridge.url, { path: '/settings' });
    const { page } = opened;
    await page.getByLabel('Key').fill(token);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByLabel('Search').fill('grace');
    await page.getByText('GRACE_SECONDS').waitFor();
    await page.getByText('environment', { exact: true }).waitFor();
    await page.getByLabel('Search').fill('OPERATOR_TOKEN');
    await page.getByText('set, and not shown').waitFor();
    await page.getByLabel('Search').fill('');
    await page.getByLabel('Only what was set').check();
    await page.getByText('GRACE_SECONDS').waitFor();
    expect(await page.getByText('HEARTBEAT').count()).toBe(0);
    expect(await page.content()).not.toContain(token);
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said([/401|403/])).toEqual([]);
  });

  test('it is Korean and fits a phone', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, {
      path: '/settings',
      locale: 'ko',
      theme: 'dark',
      width: 390,
    });
    await opened.page.getByText('COMFYUI_SERVERS').first().waitFor();
    expect(await opened.scrollsSideways()).toBe(false);
    expect(await opened.findBarriers()).toEqual([]);
    await opened.shoot('settings');
  });
});
