import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { createComfy, createFolder, describeTree } from './_tree.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const pnpm = join(root, 'toolchain/node_modules/.bin/pnpm');
const env = { ...process.env, npm_config_verify_deps_before_run: 'false' };

test(
  'the packed package installs and uninstalls from anywhere, with nothing but Node',
  { timeout: 90_000 },
  async () => {
    using folder = createFolder();
    const build = [
      'exec',
      'turbo',
      'run',
      'build',
      '--filter=comfy-bridge-patch',
      '--output-logs=errors-only',
    ];
    await run(pnpm, build, { cwd: root, env });
    await run(pnpm, ['--filter', 'comfy-bridge-patch', 'pack', '--pack-destination', folder.path], {
      cwd: root,
      env,
    });
    const tarball = (await readdir(folder.path)).find((name) => name.endsWith('.tgz')) ?? '';
    const home = join(folder.path, 'somewhere else');
    await mkdir(home);
    await run('tar', ['xzf', join(folder.path, tarball), '-C', home, '--strip-components=1']);
    expect((await readdir(home)).toSorted()).toEqual(
      expect.arrayContaining(['README.md', 'dist', 'package.json']),
    );
    expect(await readdir(join(home, 'dist'))).toEqual(expect.arrayContaining(['LICENSE', 'LICENSE.zod']));
    const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
    expect(manifest.dependencies).toBeUndefined();

    const comfy = createComfy(join(folder.path, 'ComfyUI'));
    const before = describeTree(comfy);
    const command = join(home, manifest.bin['comfy-bridge-patch']);
    const cli = (...args: string[]) =>
      run(process.execPath, [command, ...args, '--json'], { cwd: folder.path });
    const installed = JSON.parse((await cli('install', 'ComfyUI', '--example-inputs', '--port', '1')).stdout);
    expect(installed).toMatchObject({ ok: true, what: 'done', comfyui: comfy });
    expect(installed.token).toMatch(/^[\w-]{43}$/);
    expect(installed.plan.filter((line: string) => line.startsWith('write'))).toContainEqual(
      expect.stringContaining(join('web', 'comfy-bridge.js')),
    );
    for (const path of ['main_adapted.py', 'custom_nodes/comfy-bridge/donor/setup.py', 'input/sample_b.png'])
      expect(existsSync(join(comfy, path)), path).toBe(true);
    expect(JSON.parse((await cli('status', 'ComfyUI')).stdout)).toMatchObject({
      installed: true,
      hasToken: true,
    });
    await cli('uninstall', 'ComfyUI', '--port', '1');
    expect(describeTree(comfy)).toBe(before);
  },
);

test('the built command is one file that imports Node’s own modules only', async () => {
  const file = join(dirname(import.meta.dirname), 'dist/cli.mjs');
  const text = await readFile(file, 'utf8');
  expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true);
  const imports = [...text.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name = '']) => name);
  expect(imports.filter((name) => !name.startsWith('node:'))).toEqual([]);
});
