import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { PageElement, PageWindow } from './_in-page.ts';

export interface PageOptions {
  /** Behind `#`, such as `/run/upscale`. */
  path?: string;
  locale?: 'en' | 'ko';
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console has said since it was last asked: errors, warnings, exceptions. What matches is expected. */
  said(expected?: RegExp[]): string[];
  /** Serious and critical findings of axe, as lines; of an open dialog, of that alone. */
  findBarriers(): Promise<string[]>;
  /** Whether the page is wider than the window. */
  scrollsSideways(): Promise<boolean>;
  /** A picture for the documentation, when `SCREENSHOTS` names a folder. */
  shoot(name: string): Promise<void>;
}

/** Opens the page of a bridge (`url` without a slash at its end) in a browser that has never seen it. */
export async function openPage(browser: Browser, url: string, given: PageOptions = {}): Promise<OpenedPage> {
  const { path = '/', locale = 'en', theme = 'light', width = 1280, height = 900 } = given;
  const context = await browser.newContext({
    viewport: { width, height },
    locale,
    colorScheme: theme,
    permissions: ['clipboard-read', 'clipboard-write', 'camera'],
    // What moves cannot be judged, and is not in a picture twice the same.
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  let lines: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    lines.push(`${message.type()}: ${message.text().slice(0, 500)} (${message.location().url})`);
  });
  page.on('pageerror', (error) => lines.push(`exception: ${error.stack?.slice(0, 800) ?? error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url()))
      lines.push(`asked another host: ${request.url()}`);
  });
  await page.goto(`${url}/#${path}`);
  return {
    page,
    context,
    said(expected = []) {
      const taken = lines;
      lines = [];
      return [...new Set(taken)].filter((line) => !expected.some((text) => text.test(line)));
    },
    findBarriers: () => findBarriers(page),
    scrollsSideways: () =>
      page.evaluate(() => {
        const { documentElement } = (globalThis as unknown as PageWindow).document;
        return documentElement.scrollWidth > documentElement.clientWidth;
      }),
    async shoot(name) {
      const folder = process.env['SCREENSHOTS'];
      if (folder === undefined || folder === '') return;
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${name}-${locale}-${theme}-${width}.png`) });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

interface AxeResults {
  violations: { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] }[];
}

async function findBarriers(page: Page): Promise<string[]> {
  // Run by the debugger: the page itself takes no scripts but its own.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async (): Promise<AxeResults> => {
    const { document } = globalThis as unknown as PageWindow;
    const { axe } = globalThis as unknown as { axe: { run(where: PageElement): Promise<AxeResults> } };
    return await axe.run(document.querySelector('[role="dialog"]') ?? document.body);
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
}
