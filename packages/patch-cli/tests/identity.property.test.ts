import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { buryHolder, createPayload, disk, runIn } from './_cli.ts';
import { createFaultyDisk } from './_faulty-disk.ts';
import type { Fault } from './_faulty-disk.ts';
import { randomTree } from './_random-tree.ts';
import { createComfy, createFolder, describeTree, laterPayloadTree } from './_tree.ts';
import type { Tree } from './_tree.ts';

const flags = fc.subarray(['--example-inputs', '--no-token', '--schedule=22:00-08:00', '--owner-from=none']);
const runs = { numRuns: Number(process.env['FC_RUNS'] ?? 60) };

async function withComfy(
  tree: Tree,
  body: (stage: { root: string; first: string; second: string }) => Promise<void>,
) {
  using folder = createFolder();
  const root = join(folder.path, 'Comfy UI é');
  createComfy(root, tree);
  const first = createPayload(join(folder.path, 'first'));
  const second = createPayload(join(folder.path, 'second'), laterPayloadTree);
  await body({ root, first, second });
}

const done = { code: 0, err: '' };

test('uninstall after install is the identity', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      randomTree,
      flags,
      fc.boolean(),
      fc.boolean(),
      async (tree, flags, upgrades, runsPython) => {
        await withComfy(tree, async ({ root, first, second }) => {
          const before = describeTree(root);
          expect(await runIn({ payload: first }, 'install', root, '--force', ...flags)).toMatchObject(done);
          expect(describeTree(root)).not.toBe(before);
          if (runsPython) leavePythonFiles(root);
          if (upgrades)
            expect(await runIn({ payload: second, version: '0.2.0' }, 'upgrade', root)).toMatchObject(done);
          expect(await runIn({ payload: second, version: '0.2.0' }, 'uninstall', root)).toMatchObject(done);
          expect(describeTree(root)).toBe(before);
        });
      },
    ),
    runs,
  );
});

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('kill' as const),
    at: fc.nat(70),
    when: fc.constantFrom('before' as const, 'after' as const, 'torn' as const),
  }),
  fc.record({
    kind: fc.constant('fail' as const),
    at: fc.nat(70),
    code: fc.constantFrom('ENOSPC', 'EACCES', 'EIO'),
  }),
  fc.record({ kind: fc.constant('full' as const), at: fc.nat(70) }),
  fc.record({ kind: fc.constant('dead' as const), at: fc.nat(70) }),
);
const command = fc.constantFrom('install', 'upgrade', 'uninstall');

test(
  'whatever is interrupted, and however often: in the end it is the identity',
  { timeout: 180_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        randomTree,
        flags,
        fc.array(fc.tuple(command, fc.boolean(), fc.option(fault, { nil: undefined })), {
          minLength: 1,
          maxLength: 6,
        }),
        async (tree, flags, steps) => {
          await withComfy(tree, async ({ root, first, second }) => {
            const before = describeTree(root);
            for (const [command, isLater, fault] of steps) {
              const faulty = createFaultyDisk(disk, fault);
              const was = describeTree(root);
              const world = {
                payload: isLater ? second : first,
                version: isLater ? '0.2.0' : '0.1.0',
                disk: faulty.disk,
              };
              const rest = command === 'uninstall' ? [] : flags;
              const said = await runIn(world, command, root, '--force', ...rest).catch(() => undefined);
              // An earlier step may have left something to end first.
              const isInstalled = was.includes('.comfy-bridge/receipt.json');
              const isWhole =
                !/\.comfy-bridge(\/journal|\/lock|\/receipt-new|\.new-|\.gone-)|\.tmp file/.test(was) &&
                (isInstalled || !was.includes('.comfy-bridge/.gitignore'));
              if (isWhole && said?.code === 1 && fault?.kind !== 'dead') expect(describeTree(root)).toBe(was);
              buryHolder(root);
            }
            expect(
              await runIn({ payload: second, version: '0.2.0' }, 'install', root, '--force'),
            ).toMatchObject(done);
            expect(await runIn({ payload: second, version: '0.2.0' }, 'uninstall', root)).toMatchObject(done);
            expect(describeTree(root)).toBe(before);
          });
        },
      ),
      runs,
    );
  },
);

const ourFiles = [
  'main_adapted.py',
  'custom_nodes/comfy-bridge/__init__.py',
  'custom_nodes/comfy-bridge/donor/setup.py',
  'custom_nodes/comfy-bridge/web/comfy-bridge.js',
];

test('edited files are never touched without --force, and all are named', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      randomTree,
      fc.subarray(ourFiles, { minLength: 1 }),
      fc.constantFrom('upgrade', 'uninstall'),
      async (tree, edited, command) => {
        await withComfy(tree, async ({ root, first, second }) => {
          const before = describeTree(root);
          expect(await runIn({ payload: first }, 'install', root, '--force')).toMatchObject(done);
          for (const path of edited) {
            chmodSync(join(root, path), 0o644);
            writeFileSync(join(root, path), 'edited by its owner');
          }
          const was = describeTree(root);
          const world = { payload: second, version: '0.2.0' };
          const refused = await runIn(world, command, root);
          expect(refused.code).toBe(1);
          for (const path of edited) expect(refused.err).toContain(join(root, path));
          expect(describeTree(root)).toBe(was);
          expect(await runIn(world, command, root, '--force')).toMatchObject(done);
          if (command === 'upgrade') expect(await runIn(world, 'uninstall', root)).toMatchObject(done);
          expect(describeTree(root)).toBe(before);
        });
      },
    ),
    runs,
  );
});

test('files that somebody deleted are no obstacle', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      randomTree,
      fc.subarray(ourFiles, { minLength: 1 }),
      fc.boolean(),
      async (tree, gone, repairs) => {
        await withComfy(tree, async ({ root, first }) => {
          const before = describeTree(root);
          expect(await runIn({ payload: first }, 'install', root, '--force')).toMatchObject(done);
          for (const path of gone) rmSync(join(root, path));
          if (repairs) {
            expect(await runIn({ payload: first }, 'install', root, '--force')).toMatchObject(done);
            expect((await runIn({ payload: first }, 'status', root)).out).toContain('0 edited, 0 missing');
          }
          expect(await runIn({ payload: first }, 'uninstall', root)).toMatchObject(done);
          expect(describeTree(root)).toBe(before);
        });
      },
    ),
    runs,
  );
});

function leavePythonFiles(root: string): void {
  const folder = join(root, 'custom_nodes/comfy-bridge/donor/__pycache__');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'setup.cpython-311.pyc'), 'compiled');
}
