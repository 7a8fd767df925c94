import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { eventually } from '../editor/_eventually.ts';
import { missing, openBrowser } from './_browser.ts';
import { makeCatalogue, plain } from './_catalogue.ts';
import { openPage } from './_open-page.ts';
import type { PageWindow } from './_in-page.ts';

describe.skipIf(missing !== undefined)('the list of workflows', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('each has its picture, what goes in and comes out, and whether it can run', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    const card = page.getByRole('link', { name: 'Image to image' });
    await card.getByText('Can run now').waitFor();
    await eventually(() => card.locator('img').count()).toBe(1);
    expect(await card.innerText()).toMatch(/Takes: picture[^]*→[^]*Gives: picture/);
    await opened.shoot('gallery');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('it is searched as one types, in Korean too, and the search is there after going back', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByRole('searchbox').fill('UPSCALE four times');
    await eventually(() => page.locator('.cards > li').count()).toBe(1);
    await page.getByRole('searchbox').fill('그림을 섞');
    await eventually(() => page.locator('.cards h2').allInnerTexts()).toEqual(['Blend']);
    await page.getByRole('link', { name: 'Blend' }).click();
    await page.getByRole('heading', { name: 'Blend', level: 1 }).waitFor();
    await page.goBack();
    expect(await page.getByRole('searchbox').inputValue()).toBe('그림을 섞');
    await page.getByRole('searchbox').fill('nothing like this');
    await page.getByText('Nothing is called like that').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await eventually(() => page.locator('.cards > li').count()).toBeGreaterThan(5);
    expect(opened.said()).toEqual([]);
  });

  test('a machine that goes is told on the cards, which still open', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByText('Can run now').first().waitFor();
    await bridge.sim.refuse(true);
    await bridge.nextEvent('backend:lost');
    await page.evaluate(() =>
      (globalThis as unknown as PageWindow).document.dispatchEvent(new Event('visibilitychange')),
    );
    await eventually(() => page.getByText('Can run now').count()).toBe(0);
    await opened.shoot('gallery-no-machine');
    expect(await opened.findBarriers()).toEqual([]);
    await page.getByRole('link', { name: 'Upscale' }).first().click();
    await page.getByText('It cannot run at the moment').waitFor();
  });

  test('an empty catalogue says how to fill it, and what is published appears', async () => {
    await using catalogue = await makeCatalogue({});
    await using bridge = await startBridge({ env: { WORKFLOW_DIR: catalogue.folder } });
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByText('Nothing is published here yet').waitFor();
    await opened.shoot('gallery-empty');
    expect(await opened.findBarriers()).toEqual([]);
    await writeFile(join(catalogue.folder, 'new.json'), JSON.stringify(plain));
    const alias = join(catalogue.folder, 'workflow_alias.json');
    await writeFile(`${alias}.tmp`, JSON.stringify([{ alias: 'new-one', fn: 'new.json', description: '' }]));
    await copyFile(`${alias}.tmp`, alias);
    await expect
      .poll(
        async () => {
          await page.evaluate(() =>
            (globalThis as unknown as PageWindow).document.dispatchEvent(new Event('visibilitychange')),
          );
          return await page.getByRole('link', { name: 'New one' }).count();
        },
        { timeout: 15_000, interval: 500 },
      )
      .toBe(1);
    expect(opened.said()).toEqual([]);
  });

  test('where keys are asked for, the key brings the list, and the pictures', async () => {
    await using bridge = await startBridge({
      env: { KEYS: 'required', OPERATOR_TOKEN: 'an-operator-token' },
    });
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByLabel('Key', { exact: false }).first().fill('an-operator-token');
    await page.locator('main').getByRole('button', { name: 'Enter a key' }).click();
    const card = page.getByRole('link', { name: 'Blend' });
    await card.waitFor();
    await eventually(() => card.locator('img').count()).toBe(1);
    expect(opened.said([/401/])).toEqual([]);
  });

  for (const [locale, theme, width] of [
    ['ko', 'dark', 390],
    ['ko', 'light', 1280],
    ['en', 'dark', 1920],
    ['en', 'light', 320],
  ] as const)
    test(`in ${locale}, ${theme}, ${width} px wide, with names that are far too long`, async () => {
      const long = 'w'.repeat(255);
      await using catalogue = await makeCatalogue({
        [long.slice(0, 120)]: { graph: plain, description: long },
        'صورة-من-نص': { graph: plain, description: 'يصنع صورة من نص.' },
        '등대 그리기': { graph: plain, description: '글로 그림을 만듭니다. '.repeat(30) },
      });
      await using bridge = await startBridge({ env: { WORKFLOW_DIR: catalogue.folder } });
      await using opened = await openPage(browser, bridge.url, { locale, theme, width });
      await opened.page.locator('.cards > li').nth(2).waitFor();
      await opened.shoot('gallery-odd');
      expect(await opened.scrollsSideways()).toBe(false);
      expect(await opened.findBarriers()).toEqual([]);
      expect(opened.said()).toEqual([]);
    });
});
