import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';

describe.skipIf(missing !== undefined)('the author’s pages', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  /** A bridge with a catalogue of its own. */
  async function startAuthoring() {
    await using parts = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'console-workflows-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    await cp(workflowsDir, folder, { recursive: true });
    const bridge = parts.use(
      await startBridge({ sim: { mode: 'free', stepMs: 1 }, env: { WORKFLOW_DIR: folder } }),
    );
    const owned = parts.move();
    return { bridge, folder, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }

  test('a workflow is published from a file, with what each machine says of it', async () => {
    await using world = await startAuthoring();
    await using opened = await openPage(browser, world.bridge.url, { path: '/workflows' });
    const { page } = opened;
    await page.getByLabel('Workflow file').setInputFiles({
      name: 'My Upscale.json',
      mimeType: 'application/json',
      buffer: await readFile(join(workflowsDir, 'upscale.json')),
    });
    await expect.poll(() => page.getByLabel('Alias').inputValue()).toBe('my-upscale');
    await page.getByLabel('Description').fill('Makes it larger.');
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('heading', { name: 'my-upscale' }).waitFor();
    await page.getByRole('cell', { name: 'Can run' }).first().waitFor();
    await page.getByRole('link', { name: 'my-upscale' }).waitFor();
    const published = await world.bridge.get('/api/bridge/workflows/my-upscale');
    expect(await published.json()).toMatchObject({ description: 'Makes it larger.', can_run: true });
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('an alias that is taken is not written over, but offered to be opened', async () => {
    await using world = await startAuthoring();
    await using opened = await openPage(browser, world.bridge.url, { path: '/workflows' });
    const { page } = opened;
    const before = await (await world.bridge.get('/api/bridge/workflows/blend/file')).text();
    await page.getByLabel('Workflow file').setInputFiles(join(workflowsDir, 'upscale.json'));
    await page.getByLabel('Alias').fill('blend');
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('link', { name: 'Open «blend»' }).click();
    await page.getByRole('heading', { name: 'blend', exact: true }).waitFor();
    expect(await (await world.bridge.get('/api/bridge/workflows/blend/file')).text()).toBe(before);
    expect(opened.said([/409|412/])).toEqual([]);
  });

  test('a file that is no workflow is refused beside its field', async () => {
    await using world = await startAuthoring();
    await using opened = await openPage(browser, world.bridge.url, { path: '/workflows' });
    const { page } = opened;
    const wrong = { name: 'a.json', mimeType: 'application/json', buffer: Buffer.from('[1, 2') };
    await page.getByLabel('Workflow file').setInputFiles(wrong);
    await page.getByText('This file is not a workflow').waitFor();
    expect(await page.getByLabel('Workflow file').getAttribute('aria-invalid')).toBe('true');
  });

  test('description and marks become a new version, numbers stay as written, and the earlier one comes back', async () => {
    await using world = await startAuthoring();
    await using opened = await openPage(browser, world.bridge.url, { path: '/workflows/upscale' });
    const { page } = opened;
    const fileOf = async () => await (await world.bridge.get('/api/bridge/workflows/upscale/file')).text();
    const before = await fileOf();

    const factor = page.getByRole('group').filter({ hasText: '2/scale_by' });
    await factor.getByLabel('Label').fill('How much');
    await factor.getByLabel('Largest').fill('3');
    await page
      .locator('section', { has: page.getByRole('heading', { name: 'API inputs' }) })
      .getByRole('button', { name: 'Save' })
      .click();
    await page.getByText('Saved as a new version.').waitFor();
    const detail = await (await world.bridge.get('/api/bridge/workflows/upscale')).json();
    expect(detail).toMatchObject({
      input_schema: { properties: { how_much: { title: 'How much', maximum: 3 } } },
    });
    expect(await fileOf()).toContain('"scale_by": 2.0');

    await page
      .getByRole('button', { name: /^Back to this one/ })
      .last()
      .click();
    await page.getByText('The earlier version is published again.').waitFor();
    expect(await fileOf()).toBe(before);
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('a workflow is renamed, and taken down', async () => {
    await using world = await startAuthoring();
    await using opened = await openPage(browser, world.bridge.url, { path: '/workflows/upscale' });
    const { page } = opened;
    await page.getByLabel('New alias').fill('larger');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'larger', exact: true }).waitFor();
    expect((await world.bridge.get('/api/bridge/workflows/upscale')).status).toBe(404);
    expect(await (await world.bridge.get('/api/bridge/workflows/larger')).json()).toMatchObject({
      thumbnail: expect.any(String),
    });

    await page.getByRole('button', { name: 'Take it down' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take it down' }).click();
    await page.getByText('«larger» is no longer published.').waitFor();
    expect((await world.bridge.get('/api/bridge/workflows/larger')).status).toBe(404);
  });

  test('the pages are Korean where the browser is, and fit a phone', async () => {
    await using world = await startAuthoring();
    for (const path of ['/workflows', '/workflows/upscale']) {
      await using opened = await openPage(browser, world.bridge.url, {
        path,
        locale: 'ko',
        theme: 'dark',
        width: 390,
      });
      await opened.page
        .getByText(path === '/workflows' ? '워크플로 게시하기' : 'API 입력')
        .first()
        .waitFor();
      expect(await opened.scrollsSideways()).toBe(false);
      expect(await opened.findBarriers()).toEqual([]);
      await opened.shoot(path.slice(1).replace('/', '-'));
    }
  });
});
