import { readFile } from 'node:fs/promises';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';
import { shareSecret, submit } from './_own-jobs.ts';
import type { PageImage, PageWindow } from './_in-page.ts';

const secret = 'a-secret-of-this-browser';

describe.skipIf(missing !== undefined)('one’s own results', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  const start = (env: Record<string, string> = {}) => startBridge({ sim: { mode: 'free', stepMs: 1 }, env });

  test('nothing yet: it says how to begin', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    await opened.page.getByText('Nothing was run yet').waitFor();
    await opened.page.getByRole('link', { name: 'To the workflows' }).waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('one’s jobs are listed, those of others are not, and one opens with its values and its picture', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const mine = await submit(bridge, {
      alias: 'text-to-image',
      inputs: { prompt: 'a lighthouse at dawn' },
      secret,
    });
    await submit(bridge, { alias: 'upscale', secret: 'somebody-else-entirely' });

    const entry = page.getByRole('listitem').filter({ hasText: 'Text to image' });
    await entry.getByText('Done').waitFor();
    await entry.getByText('a lighthouse at dawn').waitFor();
    await expect
      .poll(() => entry.locator('img').evaluate((img: PageImage) => img.naturalWidth))
      .toBeGreaterThan(0);
    expect(await page.getByRole('listitem').filter({ hasText: 'Upscale' }).count()).toBe(0);
    await opened.shoot('history');

    await entry.getByRole('link').click();
    await page.getByRole('heading', { name: 'What it ran with' }).waitFor();
    await page.getByText('a lighthouse at dawn').waitFor();
    await expect.poll(() => page.url()).toContain(`/history/${mine.id}`);
    await page.getByRole('button', { name: /closely/ }).waitFor();
    await opened.shoot('result');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('a picture opens large, is zoomed by the keyboard, and closes with Escape', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, { alias: 'batch', secret });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    const pictures = page.getByRole('button', { name: /closely/ });
    await expect.poll(() => pictures.count()).toBeGreaterThan(1);
    await pictures.first().click();
    const viewer = page.getByRole('dialog');
    await viewer.getByText(/^1 of/).waitFor();
    await page.keyboard.press('ArrowRight');
    await viewer.getByText(/^2 of/).waitFor();
    await page.keyboard.press('+');
    expect(await viewer.locator('img').evaluate((img) => img.style.transform)).toContain('scale(1.5)');
    expect(await opened.findBarriers()).toEqual([]);
    await page.keyboard.press('Escape');
    await viewer.waitFor({ state: 'detached' });
    // The keyboard is where it was.
    expect(
      await pictures
        .first()
        .evaluate((button) => button === (globalThis as unknown as PageWindow).document.activeElement),
    ).toBe(true);
    expect(opened.said()).toEqual([]);
  });

  test('what came out is compared with what went in', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const form = new FormData();
    const content = await readFile(new URL('../../workflows/input/sample_b.png', import.meta.url));
    form.set('file', new Blob([content], { type: 'image/png' }), 'mine.png');
    const uploaded = await bridge.get('/api/v2/assets', {
      method: 'POST',
      body: form,
      headers: { Authorization: `Bearer ${secret}` },
    });
    const { id: asset }: { id: string } = JSON.parse(await uploaded.text());
    const job = await submit(bridge, { alias: 'upscale', inputs: { picture: { asset } }, secret });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    await page.getByRole('button', { name: /closely/ }).click();
    await page.getByRole('button', { name: 'Compare with what went in' }).click();
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.inputValue()).toBe('0');
    const sizes = await page
      .locator('.compare img')
      .evaluateAll((all) => all.map((img: PageImage) => img.naturalWidth));
    expect(sizes).toHaveLength(2);
    // Twice as large as what went in.
    expect(sizes[0]).toBe(2 * (sizes[1] ?? 0));
    await opened.shoot('compare');
    expect(opened.said()).toEqual([]);
  });

  test('one result and all of them are downloaded, byte for byte', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, { alias: 'batch', secret });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    const [one] = await Promise.all([
      page.waitForEvent('download'),
      page
        .getByRole('link', { name: /^Download .*png$/ })
        .first()
        .click(),
    ]);
    const kept = await bridge.get(`/api/bridge/jobs/${job.id}/results/0`);
    expect(await readFile(await one.path())).toEqual(Buffer.from(await kept.arrayBuffer()));
    expect(one.suggestedFilename()).toMatch(/\.png$/);
    const [all] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /^Download all/ }).click(),
    ]);
    expect(all.suggestedFilename()).toMatch(/\.zip$/);
    expect((await readFile(await all.path())).subarray(0, 2).toString()).toBe('PK');
    expect(opened.said()).toEqual([]);
  });

  test('a link shows the results to somebody without a key, and nothing else; deleted, it says so', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, {
      alias: 'text-to-image',
      inputs: { prompt: 'very private words' },
      secret,
    });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    await page.getByRole('button', { name: 'Copy a link for others' }).click();
    await page.getByText(/Copied\. Who has the link/).waitFor();
    const link = await page.evaluate(() =>
      (globalThis as unknown as PageWindow).navigator.clipboard.readText(),
    );
    expect(link).toContain('/#/shared/');
    expect(link).not.toContain(secret);

    await using stranger = await openPage(browser, bridge.url, { path: link.split('#')[1] ?? '' });
    await stranger.page.getByRole('heading', { name: 'Results of «Text to image»' }).waitFor();
    await stranger.page.getByRole('button', { name: /closely/ }).waitFor();
    expect(await stranger.page.content()).not.toContain('very private words');
    expect(await stranger.findBarriers()).toEqual([]);
    expect(stranger.said()).toEqual([]);

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing was run yet').waitFor();
    await stranger.page.reload();
    await stranger.page.getByText('This link is no longer good').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a link is good where keys are required, too', async () => {
    const token = 'an-operator-token-for-tests';
    await using bridge = await start({ KEYS: 'required', OPERATOR_TOKEN: token });
    const job = await submit(bridge, { alias: 'text-to-image', secret: token });
    const made = await bridge.post(
      `/api/bridge/jobs/${job.id}/links`,
      {},
      {
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      },
    );
    const { token: link }: { token: string } = JSON.parse(await made.text());
    await using stranger = await openPage(browser, bridge.url, { path: `/shared/${link}` });
    await stranger.page.getByRole('button', { name: /closely/ }).waitFor();
    await stranger.page.goto(`${bridge.url}/#/shared/wrong`);
    await stranger.page.getByText('This link is no longer good').waitFor();
    expect(stranger.said([/401|404/])).toEqual([]);
  });

  test('a job that runs moves on by itself, also after the line was cut', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page, context } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, { alias: 'text-to-image', secret, wait: false });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    const run = await bridge.sim.nextPrompt();
    run.progress(1, 4);
    // The list that is left has the word, too.
    await page.getByRole('link', { name: /Back to my results/ }).waitFor();
    await page.getByText('Running', { exact: true }).waitFor();
    await context.setOffline(true);
    await page.getByText(/The line to the bridge is cut/).waitFor();
    await run.finish();
    await bridge.nextEvent('job:finished');
    await context.setOffline(false);
    await page.getByRole('button', { name: /closely/ }).waitFor();
    await page.getByText(/The line to the bridge is cut/).waitFor({ state: 'detached' });
    expect(opened.said([/ERR_INTERNET_DISCONNECTED|ERR_NETWORK/])).toEqual([]);
  });

  test('a job that failed says why and what to do; a job of another is unknown', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/history' });
    const { page } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, { alias: 'text-to-image', secret, wait: false });
    const run = await bridge.sim.nextPrompt();
    run.progress(1, 4);
    run.fail({ message: 'the model is on fire' });
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    await page
      .getByRole('alert')
      .getByText(/on fire/)
      .waitFor();
    await page.getByText(/tell the operator this number/).waitFor();
    await page.goto(`${bridge.url}/#/history/00000000-0000-4000-8000-000000000000`);
    await page.getByText('There is no such job (any more)').waitFor();
    expect(opened.said([/404/])).toEqual([]);
  });

  test('it is Korean, fits a phone, and has no barriers in the dark', async () => {
    await using bridge = await start();
    await using opened = await openPage(browser, bridge.url, {
      path: '/history',
      locale: 'ko',
      theme: 'dark',
      width: 390,
    });
    const { page } = opened;
    await shareSecret(opened, secret);
    const job = await submit(bridge, { alias: 'batch', secret });
    await page.getByRole('listitem').getByText('완료').first().waitFor();
    expect(await opened.scrollsSideways()).toBe(false);
    expect(await opened.findBarriers()).toEqual([]);
    await page.goto(`${bridge.url}/#/history/${job.id}`);
    await page.getByRole('link', { name: /모두 내려받기/ }).waitFor();
    expect(await opened.scrollsSideways()).toBe(false);
    expect(await opened.findBarriers()).toEqual([]);
    await opened.shoot('result');
  });
});
