import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { readBlocks } from './_blocks.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const pnpm = join(root, 'toolchain/node_modules/.bin/pnpm');

test(
  'the package as the README installs it: entry, command and types are there',
  { timeout: 90_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'client-packed-'));
    try {
      const install = (await readBlocks()).find(({ language }) => language === 'sh');
      const lines = install?.code.trim().split('\n') ?? [];
      const [build = '', pack = '', npm = ''] = lines.map((line) =>
        line.replaceAll('/path/to/your-project', folder),
      );
      expect(lines).toHaveLength(3);
      for (const line of [build, pack]) {
        const [command, ...args] = line.split(' ').slice(4);
        expect(command).toBe('pnpm');
        await run(pnpm, args, {
          cwd: root,
          env: { ...process.env, npm_config_verify_deps_before_run: 'false' },
        });
      }
      const tarball = npm.split(' ')[2] ?? '';
      const home = join(folder, 'node_modules/@comfy-bridge/client');
      await mkdir(home, { recursive: true });
      await run('tar', ['xzf', tarball, '-C', home, '--strip-components=1']);

      expect((await readdir(home)).toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
      await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
      const program = `import { createBridge, BridgeError } from '@comfy-bridge/client';
const { outputs } = await createBridge({ url: '${t.url}' }).run('text-to-image', {});
await outputs[0].save('result.png');
console.log(typeof BridgeError, outputs[0].size);`;
      await writeFile(join(folder, 'program.mjs'), program);
      expect((await run(process.execPath, ['program.mjs'], { cwd: folder })).stdout).toMatch(
        /^function \d+\n$/,
      );
      expect(await readdir(folder)).toContain('result.png');
      const command = join(home, 'dist/cli.mjs');
      const { stdout } = await run(process.execPath, [command, 'types', '--url', t.url]);
      expect(stdout).toContain('upscale');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
