import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { eventually } from '../editor/_eventually.ts';
import { missing, openBrowser } from './_browser.ts';
import { definition, makeCatalogue, node, plain, withManyInputs } from './_catalogue.ts';
import { openPage } from './_open-page.ts';
import type { OpenedPage } from './_open-page.ts';
import type { PageImage, PageWindow } from './_in-page.ts';

const free = { sim: { mode: 'free', stepMs: 1 } } as const;

describe.skipIf(missing !== undefined)('the page that runs a workflow', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  const runs = ({ page }: OpenedPage) => page.getByRole('article');
  const badge = (opened: OpenedPage, text: string) => runs(opened).getByText(text, { exact: true });
  const press = ({ page }: OpenedPage) => page.getByRole('button', { name: 'Run', exact: true }).click();
  /** Until the first result is drawn. */
  async function picture(opened: OpenedPage): Promise<void> {
    const drawn = runs(opened).locator('button img').first();
    await eventually(() => drawn.evaluate((image: PageImage) => image.naturalWidth)).toBeGreaterThan(0);
  }
  async function jobsOf(bridge: TestBridge): Promise<number> {
    return Number(await (await bridge.get('/generation-count')).json());
  }

  test('from the list of workflows to a picture made of a text, with its own seed', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url);
    const { page } = opened;
    await page.getByRole('link', { name: 'Text to image' }).click();
    await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('a lighthouse at dawn');
    const seed = await page.getByRole('textbox', { name: 'Seed' }).inputValue();
    await opened.shoot('run-form');
    expect(await opened.findBarriers()).toEqual([]);
    await press(opened);
    await badge(opened, 'Done').waitFor();
    await picture(opened);
    await runs(opened).getByText('a lighthouse at dawn').waitFor();
    expect(await page.getByRole('textbox', { name: 'Seed' }).inputValue()).not.toBe(seed);
    await opened.shoot('run-done');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('a running job shows its percentage, node, step and preview, and can be canceled', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    await press(opened);
    const run = await bridge.sim.nextPrompt();
    run.progress(5, 20, '3');
    run.preview();
    await runs(opened).getByText('KSampler, step 5 of 20').waitFor();
    await runs(opened).getByRole('img', { name: 'Preview' }).waitFor();
    await eventually(() => runs(opened).getByRole('progressbar').getAttribute('aria-valuenow')).toMatch(
      /^[1-9]/,
    );
    await opened.shoot('run-running');
    expect(await opened.findBarriers()).toEqual([]);
    await opened.page.getByRole('button', { name: /^Cancel/ }).click();
    await badge(opened, 'Canceled').waitFor();
    expect(await runs(opened).getByRole('img').count()).toBe(0);
    await opened.page.getByRole('button', { name: 'Remove from view' }).click();
    await opened.page.getByText('Nothing has run yet').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('several run side by side, newest first, and who waits knows its place', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    for (const text of ['first', 'second', 'third', 'fourth']) {
      await opened.page.getByRole('textbox', { name: 'Prompt', exact: true }).fill(text);
      await press(opened);
      await runs(opened).getByText(text).waitFor();
    }
    await runs(opened)
      .getByText(/Next in line|before it/)
      .first()
      .waitFor();
    expect(await runs(opened).locator('.summary').allInnerTexts()).toEqual([
      'fourth',
      'third',
      'second',
      'first',
    ]);
    await opened.shoot('run-several');
    expect(await opened.findBarriers()).toEqual([]);
    for (let n = 0; n < 4; n += 1) await (await bridge.sim.nextPrompt()).finish({ images: 1 });
    await eventually(() => badge(opened, 'Done').count()).toBe(4);
  });

  test('after a reload everything is where it was: the job, its percentage and the form', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page } = opened;
    await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('등대');
    await press(opened);
    const run = await bridge.sim.nextPrompt();
    run.progress(10, 20, '3');
    await runs(opened).getByText('step 10 of 20').waitFor();
    await page.getByRole('textbox', { name: 'Negative prompt' }).fill('fog');
    await page.reload();
    await runs(opened).getByText('step 10 of 20').waitFor();
    expect(await page.getByRole('textbox', { name: 'Prompt', exact: true }).inputValue()).toBe('등대');
    expect(await page.getByRole('textbox', { name: 'Negative prompt' }).inputValue()).toBe('fog');
    await run.finish({ images: 1 });
    await badge(opened, 'Done').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a lost network does not lose a run: it is there when the network is', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page, context } = opened;
    await press(opened);
    const run = await bridge.sim.nextPrompt();
    run.progress(2, 20, '3');
    await runs(opened).getByText('step 2 of 20').waitFor();
    await context.setOffline(true);
    await page.getByText('The line to the bridge is cut.').waitFor();
    await opened.shoot('run-offline');
    await run.finish({ images: 1 });
    await context.setOffline(false);
    await badge(opened, 'Done').waitFor();
    await page.getByText('The line to the bridge is cut.').waitFor({ state: 'detached' });
    expect(opened.said([/ERR_INTERNET_DISCONNECTED/])).toEqual([]);
  });

  test('a lost answer and a double click make one job', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page } = opened;
    let lost = 0;
    await page.route('**/workflows/text-to-image/jobs', async (route) => {
      const response = await route.fetch();
      if (lost++ === 0) await route.abort('connectionreset');
      else await route.fulfill({ response });
    });
    await page.getByRole('button', { name: 'Run', exact: true }).dblclick();
    await runs(opened).first().waitFor();
    await eventually(() => lost).toBe(2);
    expect(await jobsOf(bridge)).toBe(1);
    expect(await runs(opened).count()).toBe(1);
  });

  test('without a network it is said so, and the same press later makes one job', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page, context } = opened;
    await page.getByRole('textbox', { name: 'Prompt', exact: true }).waitFor();
    await context.setOffline(true);
    await press(opened);
    await page.getByRole('alert').getByText('The line to the bridge is cut').waitFor();
    await context.setOffline(false);
    await press(opened);
    await badge(opened, 'Done').waitFor();
    expect(await jobsOf(bridge)).toBe(1);
  });

  test('wrong values are told beside their fields and above, and the first one has the focus', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page } = opened;
    await page.getByRole('textbox', { name: 'Steps' }).fill('many');
    await page.getByRole('textbox', { name: 'Width' }).fill('99999');
    await press(opened);
    await page.getByRole('alert').getByText('2 fields need another look').waitFor();
    await page.getByText('At most 1024.').first().waitFor();
    await page.getByText('This is not a number.').first().waitFor();
    const width = await page.getByRole('textbox', { name: 'Width' }).getAttribute('id');
    await eventually(() => page.locator('*:focus').getAttribute('id')).toBe(width);
    await opened.shoot('run-errors');
    expect(await opened.findBarriers()).toEqual([]);
    expect(await jobsOf(bridge)).toBe(0);
    await page.getByRole('textbox', { name: 'Steps' }).fill('3');
    await page.getByRole('textbox', { name: 'Width' }).fill('128');
    await press(opened);
    await badge(opened, 'Done').waitFor();
  });

  test('what only the bridge knows to be wrong is told in its words', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page } = opened;
    await page.route('**/workflows/text-to-image/jobs', (route) =>
      route.fulfill({
        status: 422,
        json: {
          error: {
            code: 'invalid_input',
            message: '"steps" is odd',
            details: { inputs: { steps: 'must be even, not 3' } },
          },
        },
      }),
    );
    await press(opened);
    await page.getByText('must be even, not 3').first().waitFor();
    expect(await page.getByRole('textbox', { name: 'Steps' }).getAttribute('aria-invalid')).toBe('true');
    expect(opened.said([/422/])).toEqual([]);
  });

  test('a job that failed says why, and what to do', async () => {
    await using bridge = await startBridge();
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    await press(opened);
    (await bridge.sim.nextPrompt()).fail({ message: 'the picture is too odd' });
    await badge(opened, 'Failed').waitFor();
    await runs(opened).getByText('the picture is too odd').waitFor();
    await runs(opened).getByText('Look at the values;').waitFor();
    await opened.shoot('run-failed');
    expect(await opened.findBarriers()).toEqual([]);
  });

  test('values of an earlier run, and of a link, fill the form', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
    const { page } = opened;
    const prompt = page.getByRole('textbox', { name: 'Prompt', exact: true });
    const seed = page.getByRole('textbox', { name: 'Seed' });
    await prompt.fill('a windmill');
    await seed.fill('18446744073709551615');
    await press(opened);
    await badge(opened, 'Done').waitFor();
    await page.getByRole('button', { name: 'Start over' }).click();
    expect(await prompt.inputValue()).not.toBe('a windmill');
    await page.getByRole('button', { name: 'Use these values again' }).click();
    await eventually(() => prompt.inputValue()).toBe('a windmill');
    expect(await seed.inputValue()).toBe('18446744073709551615');

    await page.getByRole('button', { name: 'Copy a link to this form' }).click();
    await page.getByText('The link is copied').waitFor();
    const link = await page.evaluate(() =>
      (globalThis as unknown as PageWindow).navigator.clipboard.readText(),
    );
    await using other = await openPage(browser, bridge.url, { path: new URL(link).hash.slice(1) });
    const field = other.page.getByRole('textbox', { name: 'Prompt', exact: true });
    await eventually(() => field.inputValue()).toBe('a windmill');
    expect(await other.page.getByRole('checkbox', { name: 'A new one each time' }).isChecked()).toBe(false);
    expect(new URL(other.page.url()).hash).toBe('#/run/text-to-image');
    expect([...opened.said(), ...other.said()]).toEqual([]);
  });

  test('sixty inputs and a text of 100 KB are no trouble, and the button stays in view', async () => {
    await using catalogue = await makeCatalogue({ many: { graph: withManyInputs(60) } });
    await using bridge = await startBridge({ ...free, env: { WORKFLOW_DIR: catalogue.folder } });
    await using opened = await openPage(browser, bridge.url, { path: '/run/many', width: 390 });
    const { page } = opened;
    const last = page.getByRole('textbox', { name: 'Field 60', exact: true });
    await last.waitFor();
    // As if it was pasted: typing so much is slow in any browser.
    await last.evaluate((field, text) => {
      (field as unknown as { value: string }).value = text;
      field.dispatchEvent(new Event('input'));
    }, '등대 lighthouse '.repeat(9_000));
    expect(await page.getByRole('button', { name: 'Run', exact: true }).isVisible()).toBe(true);
    await page.getByText('126,000 characters').waitFor();
    await press(opened);
    await badge(opened, 'Done').waitFor();
    await page.reload();
    await eventually(async () => (await last.inputValue()).length).toBe(126_000);
    expect(await opened.scrollsSideways()).toBe(false);
    await opened.shoot('run-many');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said()).toEqual([]);
  });

  test('a number is set by its slider, and an option chosen from a short list', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.getByRole('combobox', { name: 'Method' }).selectOption('bicubic');
    await page.getByRole('slider', { name: 'Factor, slider' }).fill('1.5');
    expect(await page.getByRole('textbox', { name: 'Factor' }).inputValue()).toBe('1.5');
    await page.getByText("the author's sample is used: sample_a.png").waitFor();
    await press(opened);
    await badge(opened, 'Done').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a long list of options is searched, and a switch is switched', async () => {
    const options = Array.from({ length: 300 }, (_, index) => `models/model-${index}.safetensors`);
    const odd = definition('Odd', { model: [options, {}], tile: ['BOOLEAN', { default: false }] });
    const graph = {
      ...plain,
      '7': node('Odd', { model: options[0], tile: false }, [
        { name: 'model', label: 'Model' },
        { name: 'tile', label: 'Tile' },
      ]),
    };
    await using catalogue = await makeCatalogue({ odd: { graph } });
    await using bridge = await startBridge({
      ...{ sim: { mode: 'free', nodes: { add: { Odd: odd } } }, env: { WORKFLOW_DIR: catalogue.folder } },
    });
    await using opened = await openPage(browser, bridge.url, { path: '/run/odd' });
    const { page } = opened;
    const field = page.getByRole('combobox', { name: 'Model' });
    await field.click();
    await page.getByText('220 more').waitFor();
    await field.fill('model-29');
    await eventually(() => page.getByRole('option').count()).toBe(11);
    await opened.shoot('run-search');
    expect(await opened.findBarriers()).toEqual([]);
    await field.press('ArrowDown');
    await field.press('Enter');
    await eventually(() => field.inputValue()).toMatch(/model-29/);
    await page.getByRole('switch', { name: 'Tile' }).check();
    const sent = page.waitForRequest((request) => request.url().endsWith('/odd/jobs'));
    await press(opened);
    expect((await sent).postDataJSON()).toMatchObject({
      inputs: { model: expect.stringContaining('model-29'), tile: true, width: 64 },
    });
    await badge(opened, 'Done').waitFor();
    expect(opened.said()).toEqual([]);
  });

  test('a workflow that is not there is told in words', async () => {
    await using bridge = await startBridge(free);
    await using opened = await openPage(browser, bridge.url, { path: '/run/nope' });
    const { page } = opened;
    await page.getByText('There is no such workflow here').waitFor();
    await page.getByRole('link', { name: 'All workflows' }).click();
    await page.getByRole('link', { name: 'Upscale', exact: false }).first().waitFor();
    expect(opened.said([/404/])).toEqual([]);
  });

  test('what no machine can run is said above the form, and again when it is tried', async () => {
    await using catalogue = await makeCatalogue({ plain: { graph: plain } });
    await using bridge = await startBridge({
      ...{ sim: { nodes: { remove: ['EmptyImage'] } }, env: { WORKFLOW_DIR: catalogue.folder } },
    });
    await using opened = await openPage(browser, bridge.url, { path: '/run/plain' });
    const { page } = opened;
    await page.getByText('It cannot run at the moment').waitFor();
    await press(opened);
    await page.getByRole('alert').getByText('The bridge did not take it').waitFor();
    await page.getByRole('alert').getByText('EmptyImage').waitFor();
    await opened.shoot('run-no-machine');
    expect(await opened.findBarriers()).toEqual([]);
    expect(opened.said([/503/])).toEqual([]);
  });

  test('without any machine a job waits, and says so', async () => {
    await using bridge = await startBridge({ sims: 0, ready: false });
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    await press(opened);
    await badge(opened, 'Waiting').waitFor();
    await runs(opened).locator('.waits').waitFor();
    await opened.shoot('run-no-fleet');
    expect(opened.said()).toEqual([]);
  });

  test('a machine that comes later brings its options, and the form keeps what was put in', async () => {
    await using bridge = await startBridge();
    await bridge.sim.refuse(true);
    await bridge.nextEvent('backend:lost');
    await using fresh = await startBridge({
      ...{ sims: 0, ready: false, env: { COMFYUI_SERVERS: bridge.sim.address } },
    });
    await using opened = await openPage(browser, fresh.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.getByText('It cannot run at the moment').waitFor();
    await page.getByRole('textbox', { name: 'Factor' }).fill('1.25');
    const ready = fresh.nextEvent('backend:ready');
    await bridge.sim.refuse(false);
    await ready;
    // As if the line had been cut: the page looks again at once.
    await opened.context.setOffline(true);
    await page.getByText('The line to the bridge is cut.').waitFor();
    await opened.context.setOffline(false);
    await page.getByRole('combobox', { name: 'Method' }).waitFor();
    expect(await page.getByRole('textbox', { name: 'Factor' }).inputValue()).toBe('1.25');
    expect(await page.getByText('It cannot run at the moment').count()).toBe(0);
  });

  for (const [locale, theme, width] of [
    ['ko', 'dark', 390],
    ['ko', 'light', 1280],
    ['en', 'dark', 1280],
    ['en', 'light', 320],
  ] as const)
    test(`in ${locale}, ${theme}, ${width} px wide nothing is hidden or unreadable`, async () => {
      await using bridge = await startBridge(free);
      await using opened = await openPage(browser, bridge.url, {
        ...{ path: '/run/image-to-image', locale, theme, width },
      });
      const { page } = opened;
      await page.locator('form button[type=submit]').click();
      await runs(opened)
        .getByText(locale === 'ko' ? '완료' : 'Done', { exact: true })
        .waitFor();
      await picture(opened);
      await opened.shoot('run-i2i');
      expect(await opened.findBarriers()).toEqual([]);
      expect(await opened.scrollsSideways()).toBe(false);
      expect(opened.said()).toEqual([]);
    });
});
