/** Every block of docs/client.md is run as it stands, in the order of the page, in one folder and against one bridge. */
import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { makePng } from '../sdk/_sdk-rig.ts';

const page = join(import.meta.dirname, '../../docs/client.md');
const python = process.env['PYTHON'] ?? 'python3';
const hasPythonSdk = spawnSync(python, ['-c', 'import comfy_sdk']).status === 0;

interface Recipe {
  title: string;
  language: string;
  code: string;
}

function readRecipes(text: string): Recipe[] {
  const recipes: Recipe[] = [];
  let title = '';
  for (const [, heading, language, code] of text.matchAll(/^## (.+)$|^```(\S[^\n]*)\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) title = heading;
    else if (language !== undefined && code !== undefined) recipes.push({ title, language, code });
  }
  return recipes;
}

const recipes = readRecipes(await readFile(page, 'utf8'));

describe('the recipes of docs/client.md', () => {
  let t: TestBridge;
  let folder: string;

  beforeAll(async () => {
    t = await startBridge({ sims: 2, sim: { mode: 'free', runMs: 20 } });
    folder = await mkdtemp(join(tmpdir(), 'recipes-'));
    await writeFile(join(folder, 'cat.png'), await makePng('#c83214'));
    await copyFile(join(workflowsDir, 'upscale.json'), join(folder, 'upscale.json'));
    await writeFile(join(folder, 'editor.json'), JSON.stringify(editorWorkflow));
    await mkdir(join(folder, 'node_modules/@comfy-bridge'), { recursive: true });
    await symlink(
      join(import.meta.dirname, '../../packages/client'),
      join(folder, 'node_modules/@comfy-bridge/client'),
    );
    await symlink(
      join(import.meta.dirname, '../node_modules/@comfyorg'),
      join(folder, 'node_modules/@comfyorg'),
    );
  });
  afterAll(async () => {
    await t[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(file: string, args: string[]): Promise<string> {
    const env = { ...process.env, BRIDGE: t.url, COMFY_BASE_URL: t.url, PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await promisify(execFile)(file, args, { cwd: folder, env, timeout: 60_000 });
    return stdout;
  }

  const runners: Record<string, (code: string) => Promise<string>> = {
    // The page's own address is for its reader's machine.
    sh: (code) => run('bash', ['-euo', 'pipefail', '-c', code.replace(/^export BRIDGE=.*$/m, '')]),
    async ts(code) {
      await writeFile(join(folder, 'recipe.ts'), code);
      return await run(process.execPath, ['recipe.ts']);
    },
    python: (code) => run(python, ['-c', code]),
    'python comfy-sdk': (code) => run(python, ['-c', code]),
  };

  test('are there, in every language', () => {
    expect(new Set(recipes.map(({ language }) => language))).toEqual(new Set(Object.keys(runners)));
    expect(recipes.length).toBeGreaterThan(12);
  });

  for (const [index, { title, language, code }] of recipes.entries()) {
    const needsSdk = language === 'python comfy-sdk' && !hasPythonSdk;
    test.skipIf(needsSdk)(`${index + 1}. ${title} (${language})`, async () => {
      const told = await runners[language]?.(code);
      expect(told).not.toMatch(/"error":\{|"detail":/);
    });
  }

  test('leave pictures behind', async () => {
    for (const name of ['lighthouse.png', 'cat-large.png']) {
      const bytes = await readFile(join(folder, name));
      expect(bytes.subarray(1, 4).toString(), name).toBe('PNG');
    }
    expect(JSON.parse(await readFile(join(folder, 'group.json'), 'utf8'))).toMatchObject({ total: 6 });
    expect(JSON.parse(await readFile(join(folder, 'api-format.json'), 'utf8'))).toMatchObject({
      workflow: { '1': { class_type: 'EmptyImage', inputs: { width: 64 } } },
    });
  });
});

/** As ComfyUI's editor saves a graph of two nodes. */
const editorWorkflow = {
  last_node_id: 2,
  last_link_id: 1,
  nodes: [
    {
      id: 1,
      type: 'EmptyImage',
      mode: 0,
      inputs: [],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      properties: {},
      widgets_values: [64, 64, 1, 255],
    },
    {
      id: 2,
      type: 'SaveImage',
      mode: 0,
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      outputs: [],
      properties: {},
      widgets_values: ['recipe'],
    },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
  groups: [],
  config: {},
  extra: {},
  version: 0.4,
};
