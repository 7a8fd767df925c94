import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const pnpm = join(root, 'toolchain', 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');
const run = promisify(execFile);

test('a dependency that wants to run code while it is installed stops the install, and does not run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'install-scripts-'));
  try {
    const mark = join(folder, 'mark');
    await mkdir(join(folder, 'curious'));
    await mkdir(join(folder, 'app'));
    await writeFile(
      join(folder, 'curious', 'package.json'),
      JSON.stringify({
        name: 'curious',
        version: '1.0.0',
        scripts: { postinstall: `node -e "fs.writeFileSync(process.env.MARK, '')"` },
      }),
    );
    await run(process.execPath, [pnpm, 'pack'], { cwd: join(folder, 'curious') });
    await writeFile(
      join(folder, 'app', 'package.json'),
      JSON.stringify({ name: 'app', dependencies: { curious: 'file:../curious/curious-1.0.0.tgz' } }),
    );
    // Our own settings: what they say is what is tried.
    await copyFile(join(root, 'pnpm-workspace.yaml'), join(folder, 'app', 'pnpm-workspace.yaml'));
    const install = run(process.execPath, [pnpm, 'install', '--offline', '--no-frozen-lockfile'], {
      cwd: join(folder, 'app'),
      env: { ...process.env, MARK: mark },
    });
    await expect(install).rejects.toMatchObject({
      stdout: expect.stringContaining('Ignored build scripts: curious'),
    });
    expect(existsSync(mark)).toBe(false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
