// One picture for each view of the page, in four looks: `npm run exec -- node test/console/take-sheets.ts`, after a build.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import sharp from 'sharp';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { openBrowser } from './_browser.ts';
import { openPage } from './_open-page.ts';
import type { PageOptions } from './_open-page.ts';
import { shareSecret, submit } from './_own-jobs.ts';

const folder = join(import.meta.dirname, '../../docs/images/page');
const secret = 'a-secret-of-these-pictures';
const looks: readonly PageOptions[] = [
  { theme: 'light', width: 1280, height: 800 },
  { theme: 'dark', width: 1280, height: 800 },
  { theme: 'light', locale: 'ko', width: 1280, height: 800 },
  { theme: 'dark', locale: 'ko', width: 390, height: 800 },
];
const scale = 0.5;
const gap = 8;

await mkdir(folder, { recursive: true });
await using bridge = await startBridge({ sims: [1, 2, 3].map(() => ({ mode: 'free', stepMs: 5 })) });
await using browser = await openBrowser();

await submit(bridge, { alias: 'batch', secret });
await submit(bridge, { alias: 'flip-and-rotate', secret });
const job = await submit(bridge, {
  alias: 'text-to-image',
  inputs: { prompt: 'a lighthouse at dawn' },
  secret,
});
const made = await bridge.post(
  `/api/bridge/jobs/${job.id}/links`,
  {},
  { headers: { Authorization: `Bearer ${secret}` } },
);
const { token }: { token: string } = JSON.parse(await made.text());
await bridge.post('/api/bridge/keys', { name: 'shop', expires_in: 7_776_000, workflows: ['text-*'] });
await bridge.post('/api/bridge/backends/backend-3/pause');

const views: readonly (readonly [name: string, path: string])[] = [
  ['gallery', '/'],
  ['run', '/run/image-to-image'],
  ['history', '/history'],
  ['result', `/history/${job.id}`],
  ['shared', `/shared/${token}`],
  ['publish', '/workflows'],
  ['workflow', '/workflows/upscale'],
  ['fleet', '/fleet'],
  ['placement', '/fleet?placement=text-to-image'],
  ['backend', '/fleet/backend-1'],
  ['jobs', '/jobs'],
  ['job', `/jobs/${job.id}`],
  ['keys', '/keys'],
  ['settings', '/settings'],
];

async function shoot(url: string, path: string, look: PageOptions): Promise<Buffer> {
  await using opened = await openPage(browser, url, { ...look, path });
  await shareSecret(opened, secret);
  // Pictures and curves are drawn a moment after what they belong to.
  await delay(900);
  return await opened.page.screenshot();
}

async function makeSheet(name: string, url: string, path: string): Promise<void> {
  const tiles: { input: Buffer; left: number; top: number }[] = [];
  let left = 0;
  for (const look of looks) {
    const { width = 0, height = 0 } = look;
    const input = await sharp(await shoot(url, path, look))
      .resize(width * scale, height * scale)
      .png()
      .toBuffer();
    tiles.push({ input, left, top: 0 });
    left += width * scale + gap;
  }
  await sharp({ create: { width: left - gap, height: 800 * scale, channels: 3, background: '#808080' } })
    .composite(tiles)
    .webp({ quality: 78 })
    .toFile(join(folder, `${name}.webp`));
}

for (const [name, path] of views) await makeSheet(name, bridge.url, path);

await using keyed = await startBridge({
  env: { KEYS: 'required', OPERATOR_TOKEN: 'an-operator-token-of-these-pictures' },
});
await makeSheet('sign-in', keyed.url, '/');
process.exit(0);
