import { readFileSync, statSync, symlinkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createPayload, disk, runIn } from './_cli.ts';
import { createComfy, createFolder, describeTree, laterPayloadTree, writeTree } from './_tree.ts';
import type { Tree } from './_tree.ts';

const token = 'made-up-token-made-up-token';

function createStage(extra: Tree = {}) {
  const folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'), extra);
  return {
    folder: folder.path,
    root,
    world: { payload: createPayload(join(folder.path, 'payload')) },
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

test('an install says how to start, what the operator adds, and how to go back', async () => {
  using stage = createStage();
  const { out, code } = await runIn(stage.world, 'install', stage.root);
  expect(code).toBe(0);
  expect(out).toContain(`main_adapted.py --listen`);
  expect(out).toContain(`COMFYUI_SERVERS="donor-pc=http://donor-pc:8188;token=${token}"`);
  expect(out).toContain(`comfy-bridge-patch uninstall ${stage.root}`);
  expect(out.split('\n').length).toBeLessThan(10);
});

test('commands are named as whoever reads them has called this one', async () => {
  using stage = createStage();
  const world = { ...stage.world, host: { calledAs: 'npm run patch --' } };
  const { out } = await runIn(world, 'install', stage.root);
  expect(out).toContain(`To go back:    npm run patch -- uninstall ${stage.root}`);
  const { err } = await runIn(world, 'install');
  expect(err).toContain('npm run patch -- install <ComfyUI>');
  expect(err).toContain('npm run patch -- --help');
});

test('the token is in donor.json, for its owner alone, and printed again only when asked for', async () => {
  using stage = createStage();
  await runIn(stage.world, 'install', stage.root);
  const path = join(stage.root, '.comfy-bridge/donor.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ token });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const args of [['status'], ['doctor'], ['install'], ['upgrade'], ['uninstall', '--dry-run']]) {
    const { out, err } = await runIn(stage.world, ...args, stage.root);
    expect(out + err).not.toContain(token);
  }
  expect((await runIn(stage.world, 'status', stage.root, '--show-token')).out).toContain(token);
});

test('--json of install has the token once, with plan and start command', async () => {
  using stage = createStage();
  const { out } = await runIn(stage.world, 'install', stage.root, '--json');
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    command: 'install',
    what: 'done',
    token,
    comfyui: stage.root,
    comfyuiVersion: '0.3.64',
    recovered: 'nothing',
  });
});

test('settings of the command line go into donor.json, and what its owner wrote there stays', async () => {
  using stage = createStage();
  const own = 'a-token-of-their-own-0123';
  await runIn(stage.world, 'install', stage.root, '--token', own, '--schedule', '22:00-08:00');
  const path = join(stage.root, '.comfy-bridge/donor.json');
  writeTree(stage.root, { '.comfy-bridge/donor.json': JSON.stringify({ token: own, keepHours: 3 }) });
  expect(await runIn(stage.world, 'install', stage.root, '--owner-from', '192.168.1.0/24')).toMatchObject({
    code: 0,
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    token: own,
    keepHours: 3,
    ownerFrom: ['192.168.1.0/24'],
  });
});

test('a dry run and every refusal leave no trace', async () => {
  using stage = createStage({ 'custom_nodes/comfy-bridge/mine.py': 'mine' });
  const before = describeTree(stage.root);
  expect(await runIn(stage.world, 'install', stage.root)).toMatchObject({ code: 1 });
  expect(await runIn(stage.world, 'install', stage.root, '--force', '--dry-run')).toMatchObject({ code: 0 });
  expect(await runIn(stage.world, 'uninstall', stage.root)).toMatchObject({ code: 1 });
  expect(describeTree(stage.root)).toBe(before);
});

test('installing again changes nothing; a later version is an upgrade, and not taken back by accident', async () => {
  using stage = createStage();
  await runIn(stage.world, 'install', stage.root);
  const installed = describeTree(stage.root);
  expect((await runIn(stage.world, 'install', stage.root)).out).toContain('nothing to do');
  expect(describeTree(stage.root)).toBe(installed);

  const later = { payload: createPayload(join(stage.folder, 'later'), laterPayloadTree), version: '0.2.0' };
  expect(await runIn(later, 'upgrade', stage.root)).toMatchObject({ code: 0 });
  expect(readFileSync(join(stage.root, 'main_adapted.py'), 'utf8')).toContain('later');
  expect(disk.look(join(stage.root, 'custom_nodes/comfy-bridge/donor/setup.py'))).toBeUndefined();
  expect((await runIn(stage.world, 'install', stage.root)).err).toContain('Version 0.2.0 is installed');
});

test('upgrade wants something to upgrade', async () => {
  using stage = createStage();
  expect((await runIn(stage.world, 'upgrade', stage.root)).err).toContain('→ Use: install');
});

test('example pictures are added, and never replace one that is there', async () => {
  using stage = createStage({ 'input/sample_a.png': 'mine' });
  const { out } = await runIn(stage.world, 'install', stage.root, '--example-inputs');
  expect(out).toContain('stays as it is');
  expect(readFileSync(join(stage.root, 'input/sample_a.png'), 'utf8')).toBe('mine');
});

test('the Windows portable build is named by its outer folder too', async () => {
  using folder = createFolder();
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  createComfy(join(folder.path, 'portable/ComfyUI'));
  writeTree(folder.path, { 'portable/python_embeded/python.exe': 'MZ' });
  const { out } = await runIn(
    { ...world, host: { isWindows: true } },
    'install',
    join(folder.path, 'portable'),
  );
  expect(out).toContain(`${join(folder.path, 'portable/python_embeded/python.exe')} `);
  expect(out).toContain('--windows-standalone-build');
  expect(disk.look(join(folder.path, 'portable/ComfyUI/main_adapted.py'))?.kind).toBe('file');
});

test('the Python of a virtual environment is the one to start with', async () => {
  using stage = createStage({ 'venv/bin/python': { link: '/bin/sh' } });
  expect((await runIn(stage.world, 'install', stage.root)).out).toContain(
    join(stage.root, 'venv/bin/python'),
  );
});

test('custom_nodes elsewhere is found again by uninstall, by base directory, by name and through a link', async () => {
  using folder = createFolder();
  const world = { payload: createPayload(join(folder.path, 'payload')) };
  mkdirSync(join(folder.path, 'base/custom_nodes'), { recursive: true });
  mkdirSync(join(folder.path, 'nodes'));
  const base = join(folder.path, 'base');
  const ways = [
    { args: ['--base-directory', base], at: 'base/custom_nodes' },
    { args: ['--custom-nodes', join(folder.path, 'nodes')], at: 'nodes' },
    { args: [], at: 'nodes', link: '../nodes' },
  ];
  for (const [index, { args, at, link }] of ways.entries()) {
    const root = createComfy(join(folder.path, `comfy-${index}`));
    if (link !== undefined) {
      disk.removeFile(join(root, 'custom_nodes/example_node.py.example'));
      disk.removeFolder(join(root, 'custom_nodes'));
      symlinkSync(link, join(root, 'custom_nodes'));
    }
    const before = describeTree(folder.path);
    const installed = await runIn(world, 'install', root, ...args);
    expect(installed).toMatchObject({ code: 0, err: '' });
    if (link !== undefined) expect(installed.out).toContain('custom_nodes is a link');
    if (args[0] === '--base-directory') expect(installed.out).toContain(`--base-directory ${base}`);
    expect(disk.look(join(folder.path, at, 'comfy-bridge/__init__.py'))?.kind).toBe('file');
    expect(await runIn(world, 'uninstall', root)).toMatchObject({ code: 0, err: '' });
    expect(describeTree(folder.path)).toBe(before);
  }
});

test('an installation goes on working after its folder was moved', async () => {
  using stage = createStage();
  const before = describeTree(stage.root);
  await runIn(stage.world, 'install', stage.root);
  const moved = join(stage.folder, 'moved here');
  disk.rename(stage.root, moved);
  expect(await runIn(stage.world, 'uninstall', moved)).toMatchObject({ code: 0, err: '' });
  expect(describeTree(moved)).toBe(before);
});

test('a running ComfyUI is told to be restarted', async () => {
  using stage = createStage();
  const body = JSON.stringify({ system: { argv: [join(stage.root, 'main.py')] } });
  const world = { ...stage.world, answer: { kind: 'answer' as const, status: 200, body } };
  expect((await runIn(world, 'install', stage.root)).out).toContain('restart it for the change to count');
  expect((await runIn(world, 'doctor', stage.root)).out).toContain('is running on port 8188');
});

test('another user’s ComfyUI is installed into with a warning', async () => {
  using stage = createStage();
  const { out } = await runIn({ ...stage.world, host: { userId: 12_345 } }, 'install', stage.root);
  expect(out).toContain('belongs to another user');
});
