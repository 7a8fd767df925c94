import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createKey, operatorToken, startKeyed } from '../../packages/bridge/tests/_keys.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { eventually } from '../editor/_eventually.ts';
import { missing, openBrowser } from './_browser.ts';
import { startWithJobs } from './_many-jobs.ts';
import { openPage } from './_open-page.ts';
import { submit } from './_own-jobs.ts';

const secret = 'a-secret-of-a-client';
const job = { alias: 'text-to-image', secret, wait: false };
const rows = (page: Page) => page.locator('[data-job]');

describe.skipIf(missing !== undefined)('jobs', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('of 10,000 jobs a page is shown at once, the next follow, and the last can be found', async () => {
    await using world = await startWithJobs(10_000);
    await using opened = await openPage(browser, world.bridge.url, { path: '/jobs' });
    const { page } = opened;
    await page.getByText('client-9999', { exact: true }).waitFor();
    expect(await rows(page).count()).toBe(50);
    await page.getByRole('button', { name: 'Older' }).click();
    await page.getByText('client-9949', { exact: true }).waitFor();
    expect(await rows(page).count()).toBe(50);
    expect(page.url()).toContain('after=');
    await page.reload();
    await page.getByText('client-9949', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Newest' }).click();
    await page.getByText('client-9999', { exact: true }).waitFor();
    await page.getByLabel('Find').fill('client-17');
    await page.getByText('client-1799', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Failed', exact: true }).click();
    await page.getByText('client-1799', { exact: true }).waitFor({ state: 'detached' });
    const states = await rows(page).locator('td:first-child').allInnerTexts();
    expect(new Set(states.map((state) => state.trim()))).toEqual(new Set(['Failed']));
    expect(new URL(page.url()).hash).toBe('#/jobs?status=failed&q=client-17');
    await page.reload();
    expect(await page.getByLabel('Find').inputValue()).toBe('client-17');
    expect(opened.said()).toEqual([]);
  }, 60_000);

  test('the rows change as their jobs do, and new jobs are counted before they are shown', async () => {
    await using bridge = await startBridge();
    const { id } = await submit(bridge, job);
    const run = await bridge.sim.nextPrompt();
    await using opened = await openPage(browser, bridge.url, { path: '/jobs' });
    const { page } = opened;
    const row = page.locator(`[data-job="${id}"]`);
    run.start('3');
    await row.getByText('Running', { exact: true }).waitFor();
    run.progress(5, 10);
    const bar = row.getByRole('progressbar');
    await eventually(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(10);
    await submit(bridge, job);
    await page.getByRole('button', { name: 'Show 1 new job' }).click();
    await eventually(() => rows(page).count()).toBe(2);
    await run.finish({ images: 1 });
    await row.getByText('Done', { exact: true }).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a job that waits says which backend lacks what, and which is not there', async () => {
    await using bridge = await startBridge({
      sims: [{ models: { checkpoints: ['other.safetensors'] } }, {}],
    });
    const lost = bridge.nextEvent('backend:lost');
    await bridge.sims[1]?.refuse(true);
    await lost;
    const { id } = await submit(bridge, job);
    await using opened = await openPage(browser, bridge.url, { path: '/jobs?status=queued' });
    const { page } = opened;
    await page.locator(`[data-job="${id}"]`).getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Why does it wait?' }).waitFor();
    await page.getByText('No backend that can run it takes jobs now.').waitFor();
    const unable = page.getByRole('row', { name: 'backend-1' });
    await unable.getByText('lacks «v1-5-pruned-emaonly-fp16.safetensors»').waitFor();
    await page.getByRole('row', { name: 'backend-2' }).getByText('does not answer').waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    await bridge.sims[1]?.refuse(false);
    const run = await bridge.sims[1]?.nextPrompt();
    run?.start('3');
    await page.getByText('Runs', { exact: true }).waitFor();
    await run?.finish({ images: 1 });
    await page.getByText('Done', { exact: true }).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('an attempt that was lost is followed by the next, in the bars, the table and the events', async () => {
    await using bridge = await startBridge({ sims: 2 });
    const { id } = await submit(bridge, job);
    await using opened = await openPage(browser, bridge.url, { path: `/jobs/${id}` });
    const { page } = opened;
    const busy = () => bridge.bridge.fleet.backends.findIndex(({ slots }) => slots.size > 0);
    await eventually(busy).toBeGreaterThanOrEqual(0);
    const first = busy();
    (await bridge.sims[first]?.nextPrompt())?.start('3');
    await page.getByText('Runs', { exact: true }).waitFor();
    await bridge.sims[first]?.refuse(true);
    const other = bridge.sims[1 - first];
    const second = await other?.nextPrompt();
    await second?.finish({ images: 1 });
    await page.getByText('Done', { exact: true }).waitFor();
    const table = page.getByRole('table', { name: 'Times of each attempt' });
    await table.getByRole('row', { name: 'Attempt 1' }).getByText('lost').waitFor();
    await table.getByRole('row', { name: 'Attempt 2' }).getByText('done').waitFor();
    await page.getByText(`Attempt 1: lost on backend-${first + 1}`).waitFor();
    await page.locator('.segment.lost').first().waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a job is made more urgent, canceled, run again and deleted', async () => {
    await using bridge = await startBridge();
    const { id } = await submit(bridge, job);
    await using opened = await openPage(browser, bridge.url, { path: `/jobs/${id}` });
    const { page } = opened;
    await page.getByRole('button', { name: 'Priority' }).click();
    await page.getByRole('dialog').getByLabel('Priority').fill('500');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A whole number from −100 to 100.').waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    await page.getByRole('dialog').getByLabel('Priority').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Priority 7', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('button', { name: 'Cancel it' }).waitFor();
    const again = new URL(page.url()).hash.split('/').at(-1);
    expect(again).not.toBe(id);
    await page.goto(`${bridge.url}/#/jobs/${id}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await page.locator(`[data-job="${again}"]`).waitFor();
    expect(await page.locator(`[data-job="${id}"]`).count()).toBe(0);
    await page.goto(`${bridge.url}/#/jobs/${id}`);
    await page.getByText('There is no such job').waitFor();
    expect(opened.said([/404/])).toEqual([]);
  });

  test('a failure is told with its reason, and what the job ran with beside it', async () => {
    await using bridge = await startBridge();
    const inputs = { prompt: `a lighthouse ${'x'.repeat(20_000)}`, seed: '18446744073709551615' };
    const { id } = await submit(bridge, { ...job, inputs });
    (await bridge.sim.nextPrompt()).fail();
    await using opened = await openPage(browser, bridge.url, { path: `/jobs/${id}`, width: 390 });
    const { page } = opened;
    await page.getByRole('heading', { name: 'Why it failed' }).waitFor();
    await page.getByText('18446744073709551615').waitFor();
    await page.getByText('a lighthouse xxx').first().waitFor();
    expect(await opened.scrollsSideways()).toBe(false);
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test.each([
    { locale: 'en', theme: 'light', width: 1280 },
    { locale: 'en', theme: 'dark', width: 390 },
    { locale: 'ko', theme: 'dark', width: 1280 },
    { locale: 'ko', theme: 'light', width: 390 },
  ] as const)('everybody can read the list and a job: $locale, $theme, $width', async (look) => {
    await using bridge = await startBridge({ sim: { mode: 'free', runMs: 0 } });
    const { id } = await submit(bridge, { ...job, inputs: { prompt: '바닷가의 등대' }, wait: true });
    await using opened = await openPage(browser, bridge.url, { ...look, path: '/jobs' });
    const { page } = opened;
    await page
      .locator(`[data-job="${id}"]`)
      .getByText(look.locale === 'ko' ? '완료' : 'Done')
      .waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    expect(await opened.scrollsSideways()).toBe(false);
    await opened.shoot('jobs');
    await page.locator(`[data-job="${id}"] a`).first().click();
    await page.getByText('바닷가의 등대').first().waitFor();
    await page.locator('.card img').first().waitFor();
    expect(await opened.findBarriers()).toEqual([]);
    expect(await opened.scrollsSideways()).toBe(false);
    await opened.shoot('job');
    expect(opened.said()).toEqual([]);
  });

  test('whoever has the key of a client is asked for one that may do this', async () => {
    await using bridge = await startKeyed();
    const { key: clientKey } = await createKey(bridge, { role: 'client' });
    await using opened = await openPage(browser, bridge.url, { path: '/jobs' });
    const { page } = opened;
    await page.getByText('This bridge asks for a key').waitFor();
    await page.getByLabel('Key').fill(clientKey);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByText('This page is for the role «operator»').waitFor();
    expect(await rows(page).count()).toBe(0);
    await page.getByLabel('Key').fill(operatorToken);
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByText('There are no jobs').waitFor();
    expect(opened.said([/401|403/])).toEqual([]);
  });
});
