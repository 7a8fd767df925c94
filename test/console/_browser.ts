import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

import { chromium } from '../editor/_needs.ts';

/** Why these tests cannot run here; undefined when they can. */
export const missing =
  chromium === undefined ? 'there is no Chromium (CHROMIUM names it); .ci/run gets it' : undefined;

const packageDir = join(import.meta.dirname, '../../packages/console');

export async function openBrowser(): Promise<Browser> {
  refuseOldBuild();
  return await playwright.launch({
    ...(chromium !== undefined && { executablePath: chromium }),
    // Software rendering, a camera that shows a test picture, and nothing that Chromium would say to the world by itself.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  });
}

/** The bridge serves what was built: a test of an older page would say nothing. */
function refuseOldBuild(): void {
  const built = statSync(join(packageDir, 'dist/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(packageDir, 'src'), { recursive: true, withFileTypes: true });
  const newer = sources.find(
    (entry) =>
      entry.isFile() &&
      !entry.name.endsWith('.test.ts') &&
      statSync(join(entry.parentPath, entry.name)).mtimeMs > built,
  );
  if (newer !== undefined)
    throw new Error(`the page is older than ${newer.name}: pnpm --filter @comfy-bridge/console build`);
}
