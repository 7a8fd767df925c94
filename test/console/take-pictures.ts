// Makes the pictures of docs/page.md anew: `npm run exec -- node test/console/take-pictures.ts`, after a build.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import sharp from 'sharp';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import { openBrowser } from './_browser.ts';
import type { PageWindow } from './_in-page.ts';
import { openPage } from './_open-page.ts';
import type { OpenedPage, PageOptions } from './_open-page.ts';
import { shareSecret, submit } from './_own-jobs.ts';

const images = join(import.meta.dirname, '../../docs/images');
const secret = 'a-secret-of-these-pictures';
const size = { width: 1280, height: 800 };

await using bridge = await startBridge({
  sims: [{ mode: 'free', stepMs: 15 }, { mode: 'free', stepMs: 15 }, { mode: 'free', stepMs: 15 }, {}],
});
await using browser = await openBrowser();

async function take(opened: OpenedPage, name: string): Promise<void> {
  // Pictures and curves are drawn a moment after what they belong to.
  await delay(900);
  const png = await opened.page.screenshot();
  await sharp(png)
    .webp({ quality: 82 })
    .toFile(join(images, `page-${name}.webp`));
}

async function open(options: PageOptions): Promise<OpenedPage> {
  const opened = await openPage(browser, bridge.url, { ...size, ...options });
  await shareSecret(opened, secret);
  await opened.page.waitForLoadState('networkidle').catch(() => {});
  return opened;
}

/** What a model would show halfway: the end, blurred. */
async function halfway(): Promise<Buffer> {
  const picture = join(workflowsDir, 'input/sample_a.png');
  return await sharp(picture).resize(512).blur(9).jpeg().toBuffer();
}

async function makeJobs(): Promise<{ done: string }> {
  await submit(bridge, { alias: 'batch', secret });
  await submit(bridge, { alias: 'flip-and-rotate', secret });
  const { id } = await submit(bridge, {
    alias: 'image-to-image',
    inputs: { text: 'a lighthouse at dawn' },
    secret,
  });
  return { done: id };
}

const { done } = await makeJobs();

for (const locale of ['en', 'ko'] as const) {
  const suffix = locale === 'ko' ? '.ko' : '';
  await using gallery = await open({ path: '/', locale });
  await take(gallery, `gallery${suffix}`);
}

for (const locale of ['en', 'ko'] as const) {
  const [, , , last] = bridge.sims;
  if (last === undefined) throw new Error('there is no fourth machine');
  for (const { name } of bridge.bridge.fleet.backends.slice(0, 3))
    await bridge.post(`/api/bridge/backends/${name}/pause`);
  await using run = await open({ path: '/run/text-to-image', locale });
  await run.page.getByRole('button', { name: locale === 'ko' ? '실행' : 'Run', exact: true }).click();
  const prompt = await last.nextPrompt();
  prompt.progress(9, 20, '3', await halfway());
  await run.page.locator('img[src^="data:image/"]').waitFor();
  await run.page.evaluate(() => (globalThis as unknown as PageWindow).scrollTo(0, 0));
  await take(run, `run${locale === 'ko' ? '.ko' : ''}`);
  await prompt.finish();
  for (const { name } of bridge.bridge.fleet.backends.slice(0, 3))
    await bridge.post(`/api/bridge/backends/${name}/resume`);
}

{
  await using result = await open({ path: `/history/${done}` });
  await take(result, 'result');
}
{
  await using publish = await open({ path: '/workflows/upscale' });
  await publish.page.getByRole('heading', { name: 'API inputs' }).scrollIntoViewIfNeeded();
  await publish.page.mouse.wheel(0, 480);
  await take(publish, 'publish');
}
{
  const [, second] = bridge.sims;
  await bridge.post('/api/bridge/backends/backend-3/drain');
  await submit(bridge, { alias: 'text-to-image', secret, wait: false });
  await second?.refuse(true);
  await bridge.nextEvent('backend:lost');
  await using fleet = await open({ path: '/fleet', theme: 'dark' });
  await take(fleet, 'fleet');
  await second?.refuse(false);
}
{
  await using job = await open({ path: `/jobs/${done}` });
  await job.page.getByRole('heading', { name: 'Where the time went' }).waitFor();
  await job.page.evaluate(() => (globalThis as unknown as PageWindow).scrollTo(0, 560));
  await take(job, 'job');
}
process.exit(0);
