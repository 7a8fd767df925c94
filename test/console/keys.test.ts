import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';

const token = 'an-operator-token-for-tests';

describe.skipIf(missing !== undefined)('keys', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  const start = () => startBridge({ env: { KEYS: 'required', OPERATOR_TOKEN: token } });

  test('where keys are required, the page asks for one, and refuses a wrong one with the bridge’s words', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByRole('heading', { name: 'This bridge asks for a key' }).waitFor();
    // Nothing of the bridge is shown before.
    expect(await page.getByRole('navigation').getByRole('link').count()).toBe(0);
    expect(await opened.findBarriers()).toEqual([]);

    await page.getByLabel('Key').fill('cbk_nonsense');
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByRole('alert').getByText(/key/).waitFor();
    await page.getByLabel('Key').fill(token);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByRole('navigation').getByRole('link', { name: 'Fleet' }).waitFor();

    await page.reload();
    await page.getByRole('navigation').getByRole('link', { name: 'Fleet' }).waitFor();
    expect(opened.said([/401/])).toEqual([]);
  });

  test('a key is made, shown once, works with its role alone, and is refused at once when revoked', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/keys' });
    const { page } = opened;
    await page.getByLabel('Key').fill(token);
    await page.getByRole('button', { name: 'Enter a key' }).click();

    await page.getByRole('button', { name: 'New key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('Give it a name.').waitFor();
    await dialog.getByLabel('Name').fill('shop');
    await dialog.getByLabel('Only these workflows').fill('upscale');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'The key of «shop»' }).waitFor();
    const key = await page.getByRole('dialog').getByRole('textbox').inputValue();
    expect(key).toMatch(/^cbk_/);
    expect(await opened.findBarriers()).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('row', { name: /shop/ }).getByText('valid').waitFor();
    expect(await page.content()).not.toContain(key);

    await using client = await openPage(browser, bridge.url, { path: '/keys' });
    await client.page.getByLabel('Key').fill(key);
    await client.page.getByRole('button', { name: 'Enter a key' }).click();
    await client.page.getByText('This page is for the role «operator»').waitFor();
    await client.page.getByRole('link', { name: 'Workflows' }).click();
    await client.page.getByText('Upscale').first().waitFor();

    await page.getByRole('row', { name: /shop/ }).getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('row', { name: /shop/ }).getByText('revoked').waitFor();
    await client.page.getByText('The key that was kept here is no longer good.').waitFor();
  });

  test('what was done and refused is listed, and the page fits a phone in Korean', async () => {
    await using bridge = await start();
    await bridge.get('/api/bridge/keys', { headers: { Authorization: 'Bearer wrong' } });
    await using opened = await openPage(browser, bridge.url, {
      path: '/keys',
      locale: 'ko',
      theme: 'dark',
      width: 390,
    });
    const { page } = opened;
    await page.getByLabel('키').fill(token);
    await page.getByRole('button', { name: '키 입력' }).click();
    await page.getByRole('heading', { name: '변경 기록' }).waitFor();
    await page.getByRole('cell', { name: 'refused' }).first().waitFor();
    expect(await opened.scrollsSideways()).toBe(false);
    expect(await opened.findBarriers()).toEqual([]);
  });

  test('the key of a page goes with no URL', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url);
    const urls: string[] = [];
    opened.page.on('request', (request) => urls.push(request.url()));
    await opened.page.getByLabel('Key').fill(token);
    await opened.page.getByRole('button', { name: 'Enter a key' }).click();
    await opened.page.getByRole('navigation').getByRole('link', { name: 'Keys' }).click();
    await opened.page.getByRole('heading', { name: 'Who did what' }).waitFor();
    expect(urls.length).toBeGreaterThan(3);
    expect(urls.filter((url) => url.includes(token))).toEqual([]);
  });
});
