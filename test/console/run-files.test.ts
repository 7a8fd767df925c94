import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import { eventually } from '../editor/_eventually.ts';
import { missing, openBrowser } from './_browser.ts';
import { makeCatalogue, node, plain } from './_catalogue.ts';
import { openPage } from './_open-page.ts';
import type { OpenedPage } from './_open-page.ts';
import { plainPng } from './_pictures.ts';
import type { PageImage, PageWindow } from './_in-page.ts';

const free = { sim: { mode: 'free', stepMs: 1 } } as const;
const sample = join(workflowsDir, 'input/sample_b.png');

describe.skipIf(missing !== undefined)('files that go into a workflow', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  const chooser = ({ page }: OpenedPage, name: string) => page.getByLabel(name, { exact: true });
  const ready = ({ page }: OpenedPage) => page.getByText('Ready');
  async function runToTheEnd({ page }: OpenedPage): Promise<void> {
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('article').getByText('Done', { exact: true }).first().waitFor();
  }
  /** What a program hands over that a file is dragged out of. */
  async function dataTransfer({ page }: OpenedPage, path: string, name: string) {
    const base64 = (await readFile(path)).toString('base64');
    return await page.evaluateHandle(
      ([data, fileName]) => {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        const { DataTransfer } = globalThis as unknown as PageWindow;
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], fileName, { type: 'image/png' }));
        return transfer;
      },
      [base64, name] as const,
    );
  }

  test('a picture that was chosen goes in, and the result can be compared with it', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/image-to-image' });
    const { page } = opened;
    await chooser(opened, 'Image').setInputFiles(sample);
    await ready(opened).waitFor();
    await page.getByRole('img', { name: 'Preview of sample_b.png' }).waitFor();
    await opened.shoot('run-file');
    expect(await opened.findBarriers()).toEqual([]);
    await runToTheEnd(opened);
    await page.getByRole('button', { name: /^Look at/ }).click();
    await page.getByRole('button', { name: 'Compare with what went in' }).click();
    await page.getByRole('slider', { name: /went in/ }).waitFor();
    await opened.shoot('run-file-done');
    await page.keyboard.press('Escape');
    await page.reload();
    await page.getByRole('img', { name: 'Preview of sample_b.png' }).waitFor();
    await ready(opened).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('with a key, files, results and what is shown of them are the key’s own', async () => {
    const env = { KEYS: 'required', OPERATOR_TOKEN: 'an-operator-token' };
    await using bridge = await startBridge({ ...free, env });
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.getByLabel('Key').first().fill('an-operator-token');
    await page.locator('main').getByRole('button', { name: 'Enter a key' }).click();
    await chooser(opened, 'Picture').setInputFiles(sample);
    await ready(opened).waitFor();
    await runToTheEnd(opened);
    const result = page.getByRole('article').locator('button img').first();
    const width = (image: PageImage) => image.naturalWidth;
    await eventually(() => result.evaluate(width)).toBeGreaterThan(0);
    await page.reload();
    const preview = page.getByRole('img', { name: 'Preview of sample_b.png' });
    await eventually(() => preview.evaluate(width)).toBeGreaterThan(0);
    await eventually(() => result.evaluate(width)).toBeGreaterThan(0);
    expect(opened.said([/401/])).toEqual([]);
  });

  test('a picture is dropped into its field, and another one beside all fields', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/blend' });
    const { page } = opened;
    const files = page.locator('.file');
    await files.first().waitFor();
    await files.last().dispatchEvent('drop', { dataTransfer: await dataTransfer(opened, sample, 'one.png') });
    await files.last().getByText('one.png').waitFor();
    await page.locator('h1').dispatchEvent('drop', {
      dataTransfer: await dataTransfer(opened, sample, 'two.png'),
    });
    await files.first().getByText('two.png').waitFor();
    await eventually(() => ready(opened).count()).toBe(2);
    await runToTheEnd(opened);
    expect(opened.said()).toEqual([]);
  });

  test('a picture is pasted from the clipboard, wherever one is on the page', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.locator('.file').waitFor();
    await page.evaluate(
      async (data) => {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        const blob = new Blob([bytes], { type: 'image/png' });
        const { ClipboardItem, navigator } = globalThis as unknown as PageWindow;
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
      },
      (await readFile(sample)).toString('base64'),
    );
    await page.getByRole('textbox', { name: 'Factor' }).focus();
    await page.keyboard.press('Control+V');
    await ready(opened).waitFor();
    await runToTheEnd(opened);
    expect(opened.said()).toEqual([]);
  });

  test('a file that the bridge does not take is refused in its words, and another one may follow', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    const wrong = { name: 'wrong.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') };
    await chooser(opened, 'Picture').setInputFiles(wrong);
    await page.locator('.file').getByRole('alert').waitFor();
    const refusal = await page.locator('.file').getByRole('alert').innerText();
    expect(refusal).toMatch(/wrong\.png|content|file/i);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('This file did not arrive').first().waitFor();
    await opened.shoot('run-file-refused');
    expect(await opened.findBarriers()).toEqual([]);
    await chooser(opened, 'Picture').setInputFiles(sample);
    await ready(opened).waitFor();
    await runToTheEnd(opened);
    expect(opened.said([/422|400/])).toEqual([]);
  });

  test('a photo is taken, and taken again', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.getByRole('button', { name: 'Take a photo' }).click();
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByRole('button', { name: 'Again' }).click();
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByRole('img', { name: 'The photo' }).waitFor();
    await opened.shoot('run-camera');
    expect(await opened.findBarriers()).toEqual([]);
    await page.getByRole('button', { name: 'Use this photo' }).click();
    await page.getByText(/^photo-.*\.jpg$/).waitFor();
    await ready(opened).waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a mask is painted over the picture', async () => {
    const masked = {
      ...plain,
      '5': node('LoadImage', { image: '' }, [{ name: 'image', label: 'Picture', required: true }]),
      '6': node('LoadImageMask', { image: '', channel: 'red' }, [{ name: 'image', label: 'Mask' }]),
    };
    await using catalogue = await makeCatalogue({ masked: { graph: masked } });
    await using bridge = await startBridge({ ...free, env: { WORKFLOW_DIR: catalogue.folder } });
    await using opened = await openPage(browser, bridge.url, { path: '/run/masked' });
    const { page } = opened;
    await page.getByLabel(/^Picture/).setInputFiles(sample);
    await ready(opened).waitFor();
    await page.getByRole('button', { name: 'Paint the mask' }).click();
    const canvas = page.locator('canvas');
    await canvas.waitFor();
    const box = await canvas.boundingBox();
    if (box === null) throw new Error('the canvas is not there');
    await page.mouse.move(box.x + 40, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 160, box.y + 120, { steps: 5 });
    await page.mouse.up();
    await opened.shoot('run-mask');
    expect(await opened.findBarriers()).toEqual([]);
    await page.getByRole('button', { name: 'Use this mask' }).click();
    await page.getByText('mask.png', { exact: true }).waitFor();
    await eventually(() => ready(opened).count()).toBe(2);
    expect(opened.said()).toEqual([]);
  });

  test('a large file goes on where the line was cut', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page, context } = opened;
    const path = join(bridge.dataDir, 'large.png');
    await writeFile(path, plainPng(3_000, 3_000));
    const begun: string[] = [];
    const patched: string[] = [];
    page.on('request', (request) => {
      if (!request.url().includes('/api/bridge/uploads')) return;
      if (request.method() === 'POST') begun.push(request.url());
      if (request.method() === 'PATCH') patched.push(request.headers()['upload-offset'] ?? '');
    });
    const line = await context.newCDPSession(page);
    const set = (offline: boolean, bytesPerSecond: number) =>
      line.send('Network.emulateNetworkConditions', {
        ...{ offline, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond },
      });
    await set(false, 12_000_000);
    await chooser(opened, 'Picture').setInputFiles(path);
    await eventually(() => patched.length).toBeGreaterThan(1);
    await opened.shoot('run-uploading');
    await set(true, -1);
    await page.getByText('The line was cut on the way.').waitFor();
    await opened.shoot('run-upload-cut');
    await set(false, -1);
    const before = patched.length;
    await page.getByRole('button', { name: 'Go on' }).click();
    await ready(opened).waitFor({ timeout: 15_000 });
    expect(begun).toHaveLength(1);
    expect(Number(patched[before])).toBeGreaterThan(0);
    await runToTheEnd(opened);
    expect(opened.said([/ERR_INTERNET_DISCONNECTED/])).toEqual([]);
  }, 60_000);

  test('an upload can be canceled', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page, context } = opened;
    const line = await context.newCDPSession(page);
    await line.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 20_000 },
    });
    const picture = { name: 'slow.png', mimeType: 'image/png', buffer: plainPng(500, 500) };
    await chooser(opened, 'Picture').setInputFiles(picture);
    await page.locator('.file').getByRole('progressbar').waitFor();
    await page.locator('.file').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText("the author's sample is used").waitFor();
    expect(opened.said()).toEqual([]);
  });
});
