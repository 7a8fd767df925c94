import { describe, expect, test } from 'vitest';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { missing, openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';
import type { PageImage } from './_in-page.ts';

const comfyUrl = process.env['COMFY_URL'];

/** ComfyUI makes previews only where it was started with `--preview-method`; `/system_stats` tells how it was. */
async function makesPreviews(): Promise<boolean> {
  const stats = await (await fetch(`${comfyUrl}/system_stats`, { headers: { connection: 'close' } })).text();
  return stats.includes('--preview-method');
}

/** The page, as somebody uses it, on a ComfyUI that is real: `COMFY_URL=http://127.0.0.1:8188 vitest run test/console/page-on-comfyui.test.ts`. */
describe.skipIf(comfyUrl === undefined || missing !== undefined)('the page on a real ComfyUI', () => {
  test(
    'a picture is made from a text, with its steps and previews, and is shown and downloaded',
    { timeout: 240_000 },
    async () => {
      await using bridge = await startBridge({
        sims: [],
        env: { COMFYUI_SERVERS: `real=${new URL(comfyUrl ?? '').host}`, LIMIT_TIMEOUT_COUNT: '240' },
      });
      await using browser = await openBrowser();
      await using opened = await openPage(browser, bridge.url, { path: '/run/text-to-image' });
      const { page } = opened;
      for (const [label, value] of [
        ['Width', '256'],
        ['Height', '256'],
        ['Steps', '4'],
      ] as const)
        await page.getByRole('textbox', { name: label }).fill(value);
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByText(/KSampler, step \d of 4/).waitFor({ timeout: 120_000 });
      if (await makesPreviews()) {
        const preview = page.locator('img[src^="data:image/"]');
        await expect
          .poll(() => preview.evaluate((img: PageImage) => img.naturalWidth), { timeout: 60_000 })
          .toBeGreaterThan(0);
      }
      await opened.shoot('real-run');
      await page.getByRole('button', { name: /closely/ }).waitFor({ timeout: 120_000 });
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page
          .getByRole('link', { name: /^Download/ })
          .first()
          .click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/\.png$/);
      expect(opened.said()).toEqual([]);
      expect(bridge.errors).toEqual([]);
    },
  );

  test('an own picture goes in, and a larger one comes out', { timeout: 60_000 }, async () => {
    await using bridge = await startBridge({
      sims: [],
      env: { COMFYUI_SERVERS: `real=${new URL(comfyUrl ?? '').host}` },
    });
    await using browser = await openBrowser();
    await using opened = await openPage(browser, bridge.url, { path: '/run/upscale' });
    const { page } = opened;
    await page.locator('input[type="file"]').first().setInputFiles('workflows/input/sample_b.png');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const result = page.getByRole('button', { name: /closely/ }).locator('img');
    await result.waitFor({ timeout: 40_000 });
    await expect.poll(() => result.evaluate((img: PageImage) => img.naturalWidth)).toBe(768);
    expect(opened.said()).toEqual([]);
  });
});
