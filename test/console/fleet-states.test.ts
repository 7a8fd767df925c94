import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createKey, operatorToken, startKeyed } from '../../packages/bridge/tests/_keys.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { act, cardOf } from './_fleet.ts';
import { openPage } from './_open-page.ts';
import { submit } from './_own-jobs.ts';

const secret = 'a-secret-of-a-client';
const job = { alias: 'text-to-image', secret, wait: false };
const model = 'v1-5-pruned-emaonly-fp16.safetensors';
const without = { models: { checkpoints: ['other.safetensors'] } };

describe.skipIf(missing !== undefined)('what the fleet tells', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('what a backend lists and has not is told, and where', async () => {
    const liar = { ...without, lies: { models: { checkpoints: [model] } } };
    await using bridge = await startBridge({ sims: [liar, without] });
    await submit(bridge, job);
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const card = cardOf(page, 'backend-1');
    await card.getByText('Lists one thing that it has not').waitFor();
    await card.getByText('1 thing that it lists and has not').click();
    await card.getByText(`«${model}» (ckpt_name of CheckpointLoaderSimple)`).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a machine that its owner has paused says until when, and is not to be blamed', async () => {
    await using bridge = await startBridge({ sim: { donor: {} } });
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const card = cardOf(page, 'backend-1');
    await card.getByText('Ready', { exact: true }).waitFor();
    bridge.sim.donor.pause({ reason: 'owner-work', until: '2099-01-01T08:00:00Z' });
    await card.getByText('Paused: its owner works there.').waitFor();
    await card.getByText(/^Back at Jan 1, 2099/).waitFor();
    bridge.sim.donor.resume();
    await card.getByText('Ready', { exact: true }).waitFor();
    await card.getByText('its owner works there').waitFor({ state: 'detached' });
    expect(opened.said()).toEqual([]);
  });

  test('for a workflow it is told of each backend whether it could, why not, and when it would be done', async () => {
    await using bridge = await startBridge({ sims: [without, {}, {}] });
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    await act(page, 'backend-3', 'Pause');
    await page.getByRole('link', { name: 'Why not there?' }).click();
    await page.getByRole('combobox', { name: 'Workflow' }).selectOption('text-to-image');
    await page.getByText('A job that comes now starts at once, on backend-2.').waitFor();
    const row = (name: string) => page.getByRole('row', { name });
    await row('backend-1').getByText(`lacks «${model}» (ckpt_name of CheckpointLoaderSimple)`).waitFor();
    await row('backend-2').getByText('first choice').waitFor();
    await row('backend-2')
      .getByText(/starts in 0 s, loads models .* runs .*guessed/)
      .waitFor();
    await row('backend-3').getByText('is paused here').waitFor();
    expect(new URL(page.url()).hash).toBe('#/fleet?placement=text-to-image');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('without events it is read again and again', async () => {
    await using bridge = await startBridge({ sims: 2 });
    await using opened = await openPage(browser, bridge.url, { path: '/settings' });
    const { page } = opened;
    await page.route(/api\/bridge\/events/, (route) => route.abort());
    await page.goto(`${bridge.url}/#/fleet`);
    await page.reload();
    await page.getByText('The line to the bridge is cut').waitFor();
    await cardOf(page, 'backend-2').getByText('Ready', { exact: true }).waitFor();
    await bridge.sims[1]?.refuse(true);
    await cardOf(page, 'backend-2').getByText('Lost', { exact: true }).waitFor();
    expect(opened.said([/ERR_FAILED/])).toEqual([]);
  });

  test('the last error of a machine is told, with its job', async () => {
    await using bridge = await startBridge();
    const { id } = await submit(bridge, job);
    (await bridge.sim.nextPrompt()).fail();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet/backend-1' });
    const { page } = opened;
    const errors = page.getByRole('region', { name: 'Last errors' });
    await errors.getByRole('link', { name: 'The job' }).first().waitFor();
    expect(await errors.getByRole('link').first().getAttribute('href')).toBe(`#/jobs/${id}`);
    await page.getByText('0% went well: 0 done, 1 failed, 0 lost').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('memory and queue of the last hour are curves, with words for whoever does not see them', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const gibibyte = 1024 ** 3;
    const samples = [2, 8, 6].map((used, index) => ({
      at: new Date(Date.UTC(2026, 0, 1) + index * 10_000).toISOString(),
      ...{ memory_used_bytes: used * gibibyte, memory_total_bytes: 24 * gibibyte },
      ...{ queue: index, running: 0 },
    }));
    await page.route(/\/activity$/, (route) => route.fulfill({ json: { samples, interval_seconds: 10 } }));
    await cardOf(page, 'backend-1').getByRole('link', { name: 'backend-1' }).click();
    await page.getByRole('img', { name: 'between 2 GiB and 8 GiB, now 6 GiB' }).waitFor();
    const queue = page.getByRole('img', { name: 'between 0 and 2, now 2' });
    expect(await queue.locator('.line').getAttribute('d')).toBe('M0 90L150 45L300 0');
    expect(opened.said()).toEqual([]);
  });

  test('an empty fleet says what to do', async () => {
    await using bridge = await startBridge({ sims: 0, ready: false });
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    await opened.page.getByText('The fleet has no backends yet').waitFor();
    await opened.page.goto(`${bridge.url}/#/fleet/nobody`);
    await opened.page.getByText('There is no backend «nobody»').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test.each([
    { locale: 'en', theme: 'light', width: 1280 },
    { locale: 'en', theme: 'dark', width: 390 },
    { locale: 'ko', theme: 'dark', width: 1280 },
    { locale: 'ko', theme: 'light', width: 390 },
  ] as const)('everybody can read the fleet and a backend: $locale, $theme, $width', async (look) => {
    const long = 'x'.repeat(64);
    await using bridge = await startBridge({ sims: 2, sim: { mode: 'free', runMs: 0 } });
    await bridge.post('/api/bridge/backends', { url: '127.0.0.1:9', name: long, tags: [long] });
    await submit(bridge, { ...job, wait: true });
    await using opened = await openPage(browser, bridge.url, { ...look, path: '/fleet' });
    const { page } = opened;
    await cardOf(page, long).waitFor();
    await cardOf(page, 'backend-2').waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    expect(await opened.scrollsSideways()).toBe(false);
    await opened.shoot('fleet');
    await page.goto(`${bridge.url}/#/fleet/${long}`);
    await page.getByRole('heading', { name: long }).waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    expect(await opened.scrollsSideways()).toBe(false);
    await opened.shoot('backend');
    expect(opened.said()).toEqual([]);
  });

  test('whoever has the key of a client is asked for one that may do this', async () => {
    await using bridge = await startKeyed();
    const { key: clientKey } = await createKey(bridge, { role: 'client' });
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    await page.getByText('This bridge asks for a key').waitFor();
    await page.getByLabel('Key').fill(clientKey);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByText('This page is for the role «operator»').waitFor();
    await page.getByLabel('Key').fill(operatorToken);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await cardOf(page, 'backend-1').getByText('Ready', { exact: true }).waitFor();
    expect(opened.said([/401|403/])).toEqual([]);
  });
});
