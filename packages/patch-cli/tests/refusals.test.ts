import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { buryHolder, createPayload, disk, runIn } from './_cli.ts';
import { createFaultyDisk, Killed } from './_faulty-disk.ts';
import { createComfy, createFolder, describeTree, writeTree } from './_tree.ts';
import type { Tree } from './_tree.ts';

interface Case {
  extra: Tree;
  /** After an install, what happened to it. */
  harm?: (root: string) => void;
  command: string[];
  says: string;
}

const receipt = '.comfy-bridge/receipt.json';

const cases: Record<string, Case> = {
  'a link that a developer made': {
    extra: { 'custom_nodes/comfy-bridge': { link: '/somewhere' } },
    command: ['install'],
    says: 'a link, as developers make it',
  },
  'a git clone of the pack': {
    extra: { 'custom_nodes/comfy-bridge/.git/HEAD': 'ref' },
    command: ['install', '--force'],
    says: 'a git clone',
  },
  'a folder of somebody else': {
    extra: { 'custom_nodes/comfy-bridge/x.py': '' },
    command: ['install'],
    says: 'a folder with files in it',
  },
  'a copy of the pack under another name': {
    extra: {
      'custom_nodes/Comfy-Bridge-main/__init__.py': '',
      'custom_nodes/Comfy-Bridge-main/web/comfy-bridge.js': '',
    },
    command: ['install'],
    says: 'Comfy-Bridge-main',
  },
  'a folder where the launcher goes': {
    extra: { 'main_adapted.py/x': '' },
    command: ['install', '--force'],
    says: 'main_adapted.py',
  },
  'a link where a folder of the pack goes': {
    extra: { 'custom_nodes/comfy-bridge/web': { link: '../../models' } },
    command: ['install', '--force'],
    says: join('comfy-bridge', 'web'),
  },
  'a ComfyUI that is too old': {
    extra: { 'comfyui_version.py': '__version__ = "0.3.18"' },
    command: ['install'],
    says: '0.3.19 or later',
  },
  'custom_nodes that is a dangling link': {
    extra: {},
    harm: (root) => {
      rmSync(join(root, 'custom_nodes'), { recursive: true });
      symlinkSync('/nowhere', join(root, 'custom_nodes'));
    },
    command: ['install'],
    says: 'cannot be used as custom_nodes',
  },
  'a state folder that is a link': {
    extra: { '.comfy-bridge': { link: 'input' } },
    command: ['install'],
    says: 'is not a plain folder',
  },
  'settings that cannot be read': {
    extra: { '.comfy-bridge/donor.json': '[' },
    command: ['install'],
    says: 'is not a JSON object',
  },
  'originals without a receipt': {
    extra: { '.comfy-bridge/originals/x': '' },
    command: ['install', '--force'],
    says: 'whose receipt.json is gone',
  },
  'a receipt that is no JSON': {
    extra: { [receipt]: '{"schema":1' },
    command: ['uninstall', '--force'],
    says: 'was damaged or edited',
  },
  'a receipt of a later version': {
    extra: { [receipt]: '{"schema":2}' },
    command: ['upgrade'],
    says: 'a newer comfy-bridge-patch',
  },
  'a folder that is no ComfyUI': {
    extra: {},
    harm: (root) => rmSync(join(root, 'nodes.py')),
    command: ['install'],
    says: 'nodes.py',
  },
};

test.each(Object.entries(cases))(
  '%s is refused with a fix, and nothing is changed',
  async (_name, { extra, harm, command, says }) => {
    using folder = createFolder();
    const { 'comfyui_version.py': version, ...rest } = extra;
    const root = createComfy(join(folder.path, 'ComfyUI'), rest);
    if (typeof version === 'string') writeFileSync(join(root, 'comfyui_version.py'), version);
    harm?.(root);
    const before = describeTree(root);
    const world = { payload: createPayload(join(folder.path, 'payload')) };
    const { code, err, out } = await runIn(world, ...command, root);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain(says);
    expect(err).toContain('\n→ ');
    expect(describeTree(root)).toBe(before);
  },
);

test('a receipt cannot name anything but what an install writes', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'), { 'user.txt': 'mine' });
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  await runIn(world, 'install', root);
  const path = join(root, receipt);
  const whole = readFileSync(path, 'utf8');
  for (const name of [
    'user.txt',
    '../outside',
    '/etc/passwd',
    'main_adapted.py/../user.txt',
    String.raw`..\x`,
  ]) {
    writeFileSync(path, whole.replace('"path": "main_adapted.py"', `"path": ${JSON.stringify(name)}`));
    expect((await runIn(world, 'uninstall', root, '--force')).err).toContain('damaged or edited');
  }
  expect(readFileSync(join(root, 'user.txt'), 'utf8')).toBe('mine');
});

test('a tree that cannot be written to is refused before anything is written, naming the folders', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const payload = createPayload(join(folder.path, 'payload'));
  const readOnly = { ...disk, canWriteIn: (path: string) => !path.includes('custom_nodes') };
  for (const name of ['createFile', 'createFolder', 'rename', 'link', 'removeFile', 'removeFolder'] as const)
    readOnly[name] = () => {
      throw new Error('nothing may be written');
    };
  const { code, err } = await runIn({ payload, disk: readOnly }, 'install', root);
  expect(code).toBe(1);
  expect(err).toContain(join(root, 'custom_nodes'));
});

test('edited files are all named, and go with --force', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'), { 'main_adapted.py': 'before' });
  const before = describeTree(root);
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  await runIn(world, 'install', root);
  writeTree(root, { 'main_adapted.py': 'edited', 'custom_nodes/comfy-bridge/donor/setup.py': 'edited' });
  const { err, code } = await runIn(world, 'uninstall', root);
  expect(code).toBe(1);
  expect(err).toContain(join(root, 'main_adapted.py'));
  expect(err).toContain(join(root, 'custom_nodes/comfy-bridge/donor/setup.py'));
  expect(await runIn(world, 'uninstall', root, '--force')).toMatchObject({ code: 0 });
  expect(describeTree(root)).toBe(before);
});

test('files that others put into the pack stay with its folder, unless --force', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const before = describeTree(root);
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  for (const force of [false, true]) {
    await runIn(world, 'install', root);
    writeTree(root, {
      'custom_nodes/comfy-bridge/web/mine.js': 'mine',
      'custom_nodes/comfy-bridge/__pycache__/__init__.cpython-311.pyc': '',
    });
    const { out, code } = await runIn(world, 'uninstall', root, ...(force ? ['--force'] : []));
    expect(code).toBe(0);
    if (force) continue;
    expect(out).toContain(join('comfy-bridge', 'web', 'mine.js'));
    expect(disk.list(join(root, 'custom_nodes/comfy-bridge'))).toEqual(['web']);
    expect(disk.list(join(root, 'custom_nodes/comfy-bridge/web'))).toEqual(['mine.js']);
    rmSync(join(root, 'custom_nodes/comfy-bridge'), { recursive: true });
  }
  expect(describeTree(root)).toBe(before);
});

test('files that somebody put into the state folder stay, unless --force', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const before = describeTree(root);
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  await runIn(world, 'install', root);
  writeTree(root, { '.comfy-bridge/notes.txt': 'mine', '.comfy-bridge/run/paused.json': '{}' });
  expect((await runIn(world, 'uninstall', root)).out).toContain('all but the following is as it was before');
  expect(disk.list(join(root, '.comfy-bridge'))).toEqual(['notes.txt']);
  await runIn(world, 'install', root);
  expect(await runIn(world, 'uninstall', root, '--force')).toMatchObject({ code: 0 });
  // It was there before the second install, so it is not ours to remove even then.
  expect(disk.list(join(root, '.comfy-bridge'))).toEqual(['notes.txt']);
  rmSync(join(root, '.comfy-bridge'), { recursive: true });
  expect(describeTree(root)).toBe(before);
});

test('a pack that was disabled is not put beside itself', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  await runIn(world, 'install', root);
  const pack = join(root, 'custom_nodes/comfy-bridge');
  disk.rename(pack, `${pack}.disabled`);
  expect((await runIn(world, 'install', root)).err).toContain('Rename it back');
  expect((await runIn(world, 'uninstall', root)).err).toContain('Rename it back');
  expect((await runIn(world, 'doctor', root)).out).toContain('The pack is disabled');
});

test('what changed since an interrupted run is not overwritten by taking it back', async () => {
  using folder = createFolder();
  const payload = createPayload(join(folder.path, 'payload'));
  const root = join(folder.path, 'ComfyUI');
  let before = '';
  // Killed at the first change after which the launcher is in place.
  for (let at = 0; ; at += 1) {
    createComfy(root, { 'main_adapted.py': 'before' });
    before = describeTree(root);
    const { disk: dying } = createFaultyDisk(disk, { kind: 'kill', at, when: 'after' });
    await expect(runIn({ payload, disk: dying }, 'install', root)).rejects.toThrow(Killed);
    if (readFileSync(join(root, 'main_adapted.py'), 'utf8') !== 'before') break;
    rmSync(root, { recursive: true });
  }
  buryHolder(root);
  writeFileSync(join(root, 'main_adapted.py'), 'edited since');
  expect((await runIn({ payload }, 'status', root)).out).toContain('interrupted run is waiting');
  expect((await runIn({ payload }, 'doctor', root)).out).toContain('A run was interrupted');
  const { code, err } = await runIn({ payload }, 'uninstall', root);
  expect(code).toBe(1);
  expect(err).toContain(join(root, 'main_adapted.py'));
  expect(readFileSync(join(root, 'main_adapted.py'), 'utf8')).toBe('edited since');
  expect(await runIn({ payload }, 'uninstall', root, '--force')).toMatchObject({ code: 0 });
  expect(describeTree(root)).toBe(before);
});

test('spaces and other scripts in a path are fine', async () => {
  using folder = createFolder();
  const root = join(folder.path, 'Programme (x86)/콤피 UI');
  mkdirSync(root, { recursive: true });
  createComfy(root);
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  const { out } = await runIn(world, 'install', root);
  expect(out).toContain(`"${join(root, 'main_adapted.py')}"`);
});
