import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BrowserContext, Page } from 'playwright-core';

import { watchConsole } from './_console.ts';
import type { ConsoleLog } from './_console.ts';
import type { Workshop, World } from './_world.ts';

export type Renderer = 'classic' | 'vue';

export interface EditorOptions {
  version: string;
  renderer: Renderer;
  locale?: 'en' | 'ko';
  theme?: 'dark' | 'light';
  width?: number;
}

export interface Editor extends AsyncDisposable {
  readonly options: Required<EditorOptions>;
  readonly page: Page;
  readonly world: World;
  readonly console: ConsoleLog;
  /** What the console said until the tab was open. */
  readonly saidAtStart: string[];
  /** A picture for the documentation, when `SCREENSHOTS` names a folder. */
  shoot(name: string): Promise<void>;
  /** A picture for whoever looks at a failure. Gives its path. */
  shootFailure(name: string): Promise<string>;
}

/** Opens ComfyUI's editor in a browser with nothing stored, waits until it and the extension are there, and opens the tab. */
export async function openEditor(workshop: Workshop, world: World, given: EditorOptions): Promise<Editor> {
  const options = { locale: 'en', theme: 'dark', width: 1280, ...given } as const;
  await saveSettings(world, options);
  const context = await workshop.browser.newContext({
    viewport: { width: options.width, height: 800 },
    locale: options.locale,
  });
  await cutOff(context);
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  const log = watchConsole(page);
  await page.goto(world.sim.url, { timeout: 60_000 });
  await page.locator(tabButton).waitFor({ timeout: 60_000 });
  await page.waitForFunction(isLoaded, undefined, { timeout: 60_000 });
  await page.locator(tabButton).click();
  await page.locator('.cb-sidebar').waitFor();
  return {
    options,
    page,
    world,
    console: log,
    saidAtStart: log.take(),
    async shoot(name) {
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined && folder !== '') await shootInto(page, folder, `${nameOf(options)}-${name}`);
    },
    async shootFailure(name) {
      const folder = await mkdtemp(join(tmpdir(), 'editor-failure-'));
      return await shootInto(page, folder, `${nameOf(options)}-${name}`);
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** The button of our tab; versions before 1.58 have the id in a class. */
export const tabButton = '.comfy-bridge-inputs-tab-button, [data-testid="comfy-bridge-inputs-tab-button"]';

async function saveSettings(
  { sim }: World,
  { locale, theme, renderer }: Required<EditorOptions>,
): Promise<void> {
  const settings = {
    'Comfy.TutorialCompleted': true,
    'Comfy.Workflow.ShowMissingModelsWarning': false,
    'Comfy.Workflow.ShowMissingNodesWarning': false,
    'Comfy.PromptFilename': false,
    'Comfy.VersionCompatibility.DisableWarnings': true,
    'Comfy.Locale': locale,
    'Comfy.ColorPalette': theme,
    'Comfy.VueNodes.Enabled': renderer === 'vue',
    'Comfy.UseNewMenu': 'Top',
    'Comfy.Minimap.Visible': false,
    'ComfyBridge.Address': '',
  };
  await fetch(`${sim.url}/settings`, {
    method: 'POST',
    body: JSON.stringify(settings),
    headers: { connection: 'close' },
  });
}

/** Nothing leaves this machine: what the editor asks of the world is answered with an empty list. */
async function cutOff(context: BrowserContext): Promise<void> {
  await context.route(
    ({ hostname }) => hostname !== '127.0.0.1',
    (route) => route.fulfill({ json: [], headers: { 'access-control-allow-origin': '*' } }),
  );
}

/** The workflow that the editor opens first is there: what is loaded before it would be replaced by it. */
function isLoaded(): boolean {
  const { app } = comfyAPI.app;
  return (
    (app.rootGraph ?? app.graph).nodes.length > 0 && Boolean(app.extensionManager.workflow.activeWorkflow)
  );
}

async function shootInto(page: Page, folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/[^\p{L}\p{N}.]+/gu, '-')}.png`);
  await page.screenshot({ path });
  return path;
}

function nameOf({ version, renderer, locale, theme, width }: Required<EditorOptions>): string {
  return [version, renderer, locale, theme, width].join('-');
}
