import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createPayload, runIn } from './_cli.ts';
import type { CliWorld } from './_cli.ts';
import { createComfy, createFolder, writeTree } from './_tree.ts';

const python = { code: 0, output: 'Python 3.11.7\n' };

async function createInstalled() {
  const folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const world: CliWorld = { payload: createPayload(join(folder.path, 'payload')), ended: python };
  await runIn(world, 'install', root);
  return { root, world, [Symbol.dispose]: folder[Symbol.dispose] };
}

test('a fresh installation is well', async () => {
  using stage = await createInstalled();
  expect(await runIn(stage.world, 'doctor', stage.root)).toEqual({ code: 0, out: 'All is well.\n', err: '' });
});

const harms: Record<
  string,
  { harm?: (root: string) => void; world?: Partial<CliWorld>; says: string; code: 0 | 1 }
> = {
  'a missing file': {
    harm: (root) => rmSync(join(root, 'custom_nodes/comfy-bridge/web/comfy-bridge.js')),
    says: 'Missing: ',
    code: 1,
  },
  'an edited file': {
    harm: (root) => writeFileSync(join(root, 'main_adapted.py'), 'x'),
    says: 'Edited since it was installed',
    code: 0,
  },
  'a foreign file': {
    harm: (root) => writeTree(root, { 'custom_nodes/comfy-bridge/web/x.js': '' }),
    says: 'Not ours: ',
    code: 0,
  },
  'settings that others can read': {
    harm: (root) => chmodSync(join(root, '.comfy-bridge/donor.json'), 0o644),
    says: 'chmod 600',
    code: 0,
  },
  'no settings': {
    harm: (root) => rmSync(join(root, '.comfy-bridge/donor.json')),
    says: 'is missing: without a token',
    code: 1,
  },
  'no token': {
    harm: (root) => writeFileSync(join(root, '.comfy-bridge/donor.json'), '{}'),
    says: 'There is no token',
    code: 0,
  },
  'a bad token': {
    harm: (root) => writeFileSync(join(root, '.comfy-bridge/donor.json'), '{"token":"short"}'),
    says: '16 to 512',
    code: 1,
  },
  'a bad schedule': {
    harm: (root) =>
      writeFileSync(
        join(root, '.comfy-bridge/donor.json'),
        '{"token":"0123456789abcdef","schedule":"at night"}',
      ),
    says: 'does not start with "schedule"',
    code: 1,
  },
  'a setting that is none': {
    harm: (root) =>
      writeFileSync(
        join(root, '.comfy-bridge/donor.json'),
        '{"token":"0123456789abcdef","shedule":"22:00-08:00"}',
      ),
    says: 'known are: token, ownerFrom, schedule',
    code: 1,
  },
  'another copy': {
    harm: (root) =>
      writeTree(root, {
        'custom_nodes/old/__init__.py': '',
        'custom_nodes/old/pyproject.toml': 'name = "comfy-bridge-editor"',
      }),
    says: 'Another copy of the pack',
    code: 1,
  },
  'a ComfyUI that was updated': {
    harm: (root) => writeFileSync(join(root, 'comfyui_version.py'), '__version__ = "0.4.0"'),
    says: 'ComfyUI went from 0.3.64 to 0.4.0 since: that is fine.',
    code: 0,
  },
  'an old Python': {
    world: { ended: { code: 0, output: 'Python 3.8.10' } },
    says: '3.9 or later is needed',
    code: 1,
  },
  'no Python': {
    world: { host: { runProgram: async () => undefined } },
    says: 'could not be asked',
    code: 0,
  },
  'an old editor': {
    harm: (root) =>
      writeTree(root, {
        'venv/bin/python': '',
        'venv/lib/python3.11/site-packages/comfyui_frontend_package-1.20.0.dist-info/METADATA': '',
      }),
    says: 'comfyui-frontend-package is 1.20.0; ComfyUI asks for 1.27.10',
    code: 0,
  },
  'another ComfyUI at the port': {
    world: { answer: { kind: 'answer', status: 200, body: '{"system":{"argv":["/elsewhere/main.py"]}}' } },
    says: 'Another ComfyUI has port 8188',
    code: 0,
  },
  'an earlier version': { world: { version: '0.2.0' }, says: 'comfy-bridge-patch upgrade', code: 0 },
  'a damaged receipt': {
    harm: (root) => writeFileSync(join(root, '.comfy-bridge/receipt.json'), '{'),
    says: 'is damaged',
    code: 1,
  },
};

test.each(Object.entries(harms))(
  'doctor finds %s, and says what to do',
  async (_name, { harm, world, says, code }) => {
    using stage = await createInstalled();
    harm?.(stage.root);
    const said = await runIn({ ...stage.world, ...world }, 'doctor', stage.root);
    expect(said.out).toContain(says);
    expect(said.out).toContain('→ ');
    expect(said.code).toBe(code);
    const { findings, healthy } = JSON.parse(
      (await runIn({ ...stage.world, ...world }, 'doctor', stage.root, '--json')).out,
    );
    expect(healthy).toBe(code === 0);
    expect(findings).toContainEqual({
      severity: expect.any(String),
      text: expect.any(String),
      fix: expect.any(String),
    });
  },
);

test('nothing installed is an error with its fix', async () => {
  using folder = createFolder();
  const root = createComfy(join(folder.path, 'ComfyUI'));
  const { out, code } = await runIn({ payload: folder.path, ended: python }, 'doctor', root);
  expect(code).toBe(1);
  expect(out).toContain('Nothing is installed.');
});
