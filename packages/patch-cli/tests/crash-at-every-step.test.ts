import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { buryHolder, createPayload, disk, runIn } from './_cli.ts';
import type { CliWorld } from './_cli.ts';
import { createFaultyDisk, Killed } from './_faulty-disk.ts';
import type { Fault } from './_faulty-disk.ts';
import { createComfy, createFolder, describeTree, laterPayloadTree } from './_tree.ts';
import type { Tree } from './_tree.ts';

const later = '0.2.0';

/** Trees that take every branch: plain, with something at each of our paths, with nothing where folders are expected. */
const trees: Record<string, { extra: Tree; flags: string[]; drop?: string[] }> = {
  'a plain ComfyUI': { extra: {}, flags: ['--example-inputs'] },
  'one with files at our paths': {
    extra: {
      'main_adapted.py': ['old launcher', 0o750],
      'custom_nodes/comfy-bridge/__init__.py': ['old pack', 0o600],
      'custom_nodes/comfy-bridge/web/other.js': 'other',
      '.comfy-bridge/donor.json': ['{"schedule":"22:00-08:00"}', 0o640],
      '.comfy-bridge/notes.txt': 'notes',
      'input/sample_a.png': 'my own',
    },
    flags: ['--force', '--example-inputs'],
  },
  'one without custom_nodes and input': {
    extra: {},
    drop: ['custom_nodes', 'input'],
    flags: ['--example-inputs'],
  },
};

interface Stage extends Disposable {
  root: string;
  first: CliWorld;
  second: CliWorld;
  original: string;
  reset(): void;
}

/** A ComfyUI after `prepare`, brought back to that by `reset`. */
async function createStage(
  { extra, drop = [] }: { extra: Tree; drop?: string[] },
  prepare: (stage: { root: string; first: CliWorld }) => Promise<void>,
): Promise<Stage> {
  const folder = createFolder();
  const kept = join(folder.path, 'kept');
  const root = join(folder.path, 'Com fy Ü');
  createComfy(root, extra);
  for (const name of drop) rmSync(join(root, name), { recursive: true });
  const original = describeTree(root);
  const first = { payload: createPayload(join(folder.path, 'first')) };
  const second = { payload: createPayload(join(folder.path, 'second'), laterPayloadTree), version: later };
  await prepare({ root, first });
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true, mode: 0 });
  };
  copy(root, kept);
  return {
    root,
    first,
    second,
    original,
    reset: () => copy(kept, root),
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

async function countChanges(stage: Stage, run: (world: CliWorld) => Promise<unknown>, world: CliWorld) {
  const counting = createFaultyDisk(disk);
  await run({ ...world, disk: counting.disk });
  stage.reset();
  return counting.count();
}

/** Back to how it was at first, with `install` once more in between or without. */
async function expectWayBack(stage: Stage, flags: string[], again: boolean, context: string): Promise<void> {
  if (again) {
    const installed = await runIn(stage.second, 'install', stage.root, ...flags);
    expect(installed, context).toMatchObject({ code: 0, err: '' });
    expect(existsSync(join(stage.root, 'custom_nodes/comfy-bridge/donor/lending.py')), context).toBe(true);
  }
  const gone = await runIn(stage.second, 'uninstall', stage.root);
  if (gone.code !== 0) expect(gone.err, context).toContain('Nothing of comfy-bridge is installed');
  expect(describeTree(stage.root), context).toBe(stage.original);
}

const commands = {
  install: { prepare: async () => {}, world: 'first' as const },
  upgrade: { prepare: 'installed' as const, world: 'second' as const },
  uninstall: { prepare: 'installed' as const, world: 'second' as const },
};

describe.each(Object.entries(trees))('%s', (_name, tree) => {
  describe.each(Object.entries(commands))('%s', (command, { prepare, world: worldName }) => {
    const prepared = async ({ root, first }: { root: string; first: CliWorld }) => {
      if (prepare !== 'installed') return;
      expect(await runIn(first, 'install', root, ...tree.flags)).toMatchObject({ code: 0, err: '' });
      // As Python leaves it.
      mkdirSync(join(root, 'custom_nodes/comfy-bridge/donor/__pycache__'), { recursive: true });
      writeFileSync(
        join(root, 'custom_nodes/comfy-bridge/donor/__pycache__/setup.cpython-311.pyc'),
        'compiled',
      );
      mkdirSync(join(root, '.comfy-bridge/run'));
      writeFileSync(join(root, '.comfy-bridge/run/files.jsonl'), '{}');
    };
    const flags = command === 'uninstall' ? [] : tree.flags;

    test(
      'a kill at any step: the next run ends it, and everything comes back',
      { timeout: 120_000 },
      async () => {
        using stage = await createStage(tree, prepared);
        const world = stage[worldName];
        const run = (world: CliWorld) => runIn(world, command, stage.root, ...flags);
        const total = await countChanges(stage, run, world);
        expect(total).toBeGreaterThan(20);
        for (let at = 0; at < total; at += 1)
          for (const when of ['before', 'after', 'torn'] as const) {
            const faulty = createFaultyDisk(disk, { kind: 'kill', at, when });
            await expect(run({ ...world, disk: faulty.disk })).rejects.toThrow(Killed);
            buryHolder(stage.root);
            await expectWayBack(stage, tree.flags, at % 2 === 0, `${command} killed ${when} change ${at}`);
            stage.reset();
          }
      },
    );

    test('a failure at any step: everything is as before, or done', { timeout: 120_000 }, async () => {
      using stage = await createStage(tree, prepared);
      const world = stage[worldName];
      const run = (world: CliWorld) => runIn(world, command, stage.root, ...flags);
      const total = await countChanges(stage, run, world);
      const before = describeTree(stage.root);
      for (let at = 0; at < total; at += 1) {
        const faults: Fault[] = [
          { kind: 'fail', at, code: at % 3 === 0 ? 'EACCES' : 'EIO' },
          { kind: 'full', at },
        ];
        for (const fault of faults) {
          const faulty = createFaultyDisk(disk, fault);
          const said = await run({ ...world, disk: faulty.disk });
          const context = `${command}, ${JSON.stringify(fault)}: ${said.out}${said.err}`;
          if (said.code !== 0) expect(describeTree(stage.root), context).toBe(before);
          buryHolder(stage.root);
          await expectWayBack(stage, tree.flags, at % 2 === 1, context);
          stage.reset();
        }
      }
    });

    test('a disk that dies at any step: the next run ends it', { timeout: 120_000 }, async () => {
      using stage = await createStage(tree, prepared);
      const world = stage[worldName];
      const run = (world: CliWorld) => runIn(world, command, stage.root, ...flags);
      const total = await countChanges(stage, run, world);
      for (let at = 0; at < total; at += 1) {
        const faulty = createFaultyDisk(disk, { kind: 'dead', at });
        await run({ ...world, disk: faulty.disk });
        buryHolder(stage.root);
        await expectWayBack(stage, tree.flags, at % 2 === 0, `${command}, dead from ${at}`);
        stage.reset();
      }
    });
  });
});
