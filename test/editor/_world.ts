import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import type { Sim } from '@comfy-bridge/comfy-sim';
import { chromium as playwright } from 'playwright-core';
import type { Browser } from 'playwright-core';

import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { buildExtension } from './_build-extension.ts';
import { oddNode } from './_graphs.ts';
import { loaders } from './_loaders.ts';
import { chromium, frontEndRoot } from './_needs.ts';

export const operatorToken = 'an-operator-token';

/** One browser and one build of the extension for all tests. */
export interface Workshop extends AsyncDisposable {
  browser: Browser;
  extension: string;
}

export async function openWorkshop(): Promise<Workshop> {
  await using parts = new AsyncDisposableStack();
  const { folder } = parts.use(await buildExtension());
  const browser = await playwright.launch({
    ...(chromium !== undefined && { executablePath: chromium }),
    // Software rendering, and nothing that Chromium would say to the world by itself.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  parts.defer(() => browser.close());
  const owned = parts.move();
  return { browser, extension: folder, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A ComfyUI with its editor, and a bridge in front of it that publishes into a folder of its own. */
export interface World extends AsyncDisposable {
  sim: Sim;
  bridge: TestBridge;
  workflowDir: string;
}

export async function startWorld({ extension }: Workshop, version: string): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const workflowDir = await mkdtemp(join(tmpdir(), 'editor-workflows-'));
  parts.defer(() => rm(workflowDir, { recursive: true, force: true }));
  const sim = parts.use(
    await startSim({
      mode: 'free',
      stepMs: 1,
      frontEndRoot: frontEndRoot(version),
      extensions: { 'comfy-bridge': extension },
      nodes: { add: { ...loaders, OddNames: oddNode } },
      // The first of the versions is older than `/api/jobs`.
      features: { jobsApi: version !== '1.27.10' },
    }),
  );
  await seedUserData(sim);
  const bridge = parts.use(
    await startBridge({
      sims: [],
      env: {
        COMFYUI_SERVERS: sim.address,
        OPERATOR_TOKEN: operatorToken,
        CORS_ORIGINS: sim.url,
        WORKFLOW_DIR: workflowDir,
      },
    }),
  );
  const owned = parts.move();
  return { sim, bridge, workflowDir, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What an editor that was used before finds on its server; each missing one would be a line in the console. */
async function seedUserData({ url }: Sim): Promise<void> {
  const files = {
    'user.css': '',
    'comfy.templates.json': '[]',
    'workflows/.kept': '',
    'subgraphs/.kept': '',
  };
  for (const [name, body] of Object.entries(files)) {
    await fetch(`${url}/userdata/${encodeURIComponent(name)}`, {
      method: 'POST',
      body,
      headers: { connection: 'close' },
    });
  }
}
