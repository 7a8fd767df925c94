import { startSim } from '@comfy-bridge/comfy-sim';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { eventually } from '../editor/_eventually.ts';
import { missing, openBrowser } from './_browser.ts';
import { act, cardOf, namesOf } from './_fleet.ts';
import { openPage } from './_open-page.ts';
import { submit } from './_own-jobs.ts';

const secret = 'a-secret-of-a-client';
const job = { alias: 'text-to-image', secret, wait: false };

describe.skipIf(missing !== undefined)('fleet', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('a backend that dies is lost and comes first, and is ready again when it is back', async () => {
    await using bridge = await startBridge({ sims: 2 });
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    await page.getByText('2 of 2 ready').last().waitFor();
    expect(await namesOf(page)).toEqual(['backend-1', 'backend-2']);
    await bridge.sims[1]?.refuse(true);
    await cardOf(page, 'backend-2').getByText('Lost', { exact: true }).waitFor();
    await cardOf(page, 'backend-2').getByText('Does not answer').waitFor();
    await page.getByText('1 lost', { exact: true }).waitFor();
    expect(await namesOf(page)).toEqual(['backend-2', 'backend-1']);
    await bridge.sims[1]?.refuse(false);
    await cardOf(page, 'backend-2').getByText('Ready', { exact: true }).waitFor();
    await page.getByText('2 of 2 ready').last().waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('what a backend runs is told while it runs, with its progress', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const card = cardOf(page, 'backend-1');
    await card.getByText('Runs none of our jobs').waitFor();
    const { id } = await submit(bridge, job);
    const run = await bridge.sim.nextPrompt();
    run.start('3');
    run.progress(5, 10);
    const link = card.getByRole('link', { name: 'text-to-image' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe(`#/jobs/${id}`);
    await card.getByRole('progressbar').waitFor();
    await page.getByText('1 job running').waitFor();
    await run.finish({ images: 1 });
    await card.getByText('Runs none of our jobs').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('it is paused, resumed, drained and freed by its menu', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const card = cardOf(page, 'backend-1');
    const [backend] = bridge.bridge.fleet.backends;
    await act(page, 'backend-1', 'Pause');
    await card.getByText('Paused', { exact: true }).waitFor();
    expect(backend?.settings.mode).toBe('paused');
    await act(page, 'backend-1', 'Resume');
    await card.getByText('Ready', { exact: true }).waitFor();
    expect(backend?.settings.mode).toBe('active');
    await act(page, 'backend-1', 'Drain');
    await card.getByText('Draining', { exact: true }).waitFor();
    await card.getByText('Gets nothing new').waitFor();
    await act(page, 'backend-1', 'Free memory');
    await eventually(() => bridge.sim.counters['POST /free']).toBe(1);
    expect(opened.said()).toEqual([]);
  });

  test('one is added by its address; what the bridge refuses is told where it was entered', async () => {
    await using bridge = await startBridge();
    await using sim = await startSim();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    await page.getByRole('button', { name: 'Add a backend' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Add a backend' }).click();
    await dialog.getByText('Enter the address of the ComfyUI.').waitFor();
    await dialog.getByLabel('Address').fill(bridge.sim.address);
    await dialog.getByRole('button', { name: 'Add a backend' }).click();
    await dialog.getByText('the fleet has this address already, as backend-1').waitFor();
    await dialog.getByLabel('Address').fill(sim.address);
    await dialog.getByLabel('Name', { exact: true }).fill('studio');
    await dialog.getByLabel('Tags').fill('gpu-24gb, fast');
    await dialog.getByLabel('Only these').check();
    await dialog.getByLabel('upscale', { exact: true }).check();
    expect(await opened.findBarriers()).toEqual([]);
    await dialog.getByRole('button', { name: 'Add a backend' }).click();
    await cardOf(page, 'studio').getByText('Ready', { exact: true }).waitFor();
    expect(bridge.bridge.fleet.find('studio')?.settings).toMatchObject({
      ...{ tags: ['gpu-24gb', 'fast'], workflows: ['upscale'] },
    });
    expect(opened.said([/409/])).toEqual([]);
  });

  test('one with a job leaves when the job is done, and is gone from the page then', async () => {
    await using bridge = await startBridge({ sims: 2 });
    await submit(bridge, job);
    const [name] = bridge.bridge.fleet.backends.filter(({ slots }) => slots.size > 0).map((one) => one.name);
    const busy = name ?? '';
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    await act(page, busy, 'Remove');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('What happens to its one job?').waitFor();
    await dialog.getByText('The configuration names it').waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await cardOf(page, busy).getByText('Leaving', { exact: true }).waitFor();
    const sim = bridge.sims[bridge.bridge.fleet.backends.findIndex((one) => one.name === busy)];
    await (await sim?.nextPrompt())?.finish({ images: 1 });
    await cardOf(page, busy).waitFor({ state: 'detached' });
    await page.getByText('1 of 1 ready').last().waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('one that is removed at once gives its job to another', async () => {
    await using bridge = await startBridge({ sims: 2 });
    const { id } = await submit(bridge, job);
    await using opened = await openPage(browser, bridge.url, { path: '/fleet' });
    const { page } = opened;
    const link = page.locator(`a[href="#/jobs/${id}"]`);
    const busy = (await page.locator('[data-backend]', { has: link }).getAttribute('data-backend')) ?? '';
    const other = busy === 'backend-1' ? 'backend-2' : 'backend-1';
    await act(page, busy, 'Remove');
    await page.getByLabel('They move elsewhere at once').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await cardOf(page, busy).waitFor({ state: 'detached' });
    await cardOf(page, other).locator(`a[href="#/jobs/${id}"]`).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('weight, tags and token of one are changed on its own page', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/fleet/backend-1' });
    const { page } = opened;
    await page.getByRole('button', { name: 'Settings' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Weight').fill('a lot');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('A number from 0.01 to 100.').waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    await dialog.getByLabel('Weight').fill('2.5');
    await dialog.getByLabel('Tags').fill('studio');
    await dialog.getByLabel('New token').fill('a-new-token');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('2.5', { exact: true }).waitFor();
    const [backend] = bridge.bridge.fleet.backends;
    expect(backend?.settings).toMatchObject({ weight: 2.5, tags: ['studio'] });
    expect(backend?.endpoint.token).toBe('a-new-token');
    expect(await page.content()).not.toContain('a-new-token');
    expect(opened.said()).toEqual([]);
  });
});
