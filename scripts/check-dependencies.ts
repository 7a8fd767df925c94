// Part of `npm run check`: under which licences we take what we depend on, and what may run code while it is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { judgeLicence } from './judge-licence.ts';
import type { Dependency } from './judge-licence.ts';

const root = join(import.meta.dirname, '..');

/** Of everything that is installed, for all packages of the workspace. */
function listDependencies(): Dependency[] {
  const pnpm = join(root, 'toolchain', 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');
  const args = [pnpm, '--recursive', 'licenses', 'list', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`pnpm licenses list failed: ${stderr || stdout}`);
  return Object.entries(parseLicences(stdout)).flatMap(([licence, packages]) =>
    packages.map(({ name }) => ({ name, licence })),
  );
}

/** As pnpm prints it: licence to packages. */
function parseLicences(text: string): Record<string, { name: string }[]> {
  return JSON.parse(text) as Record<string, { name: string }[]>;
}

interface ToolchainLock {
  packages: Record<string, { hasInstallScript?: boolean }>;
}

/** The toolchain is installed by whatever npm the machine has, which may run every script there is: so there must be no other. */
function judgeToolchain(): string[] {
  const scripts = Object.entries(
    parseLock(readFileSync(join(root, 'toolchain', 'package-lock.json'), 'utf8')).packages,
  )
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path)
    .filter((path) => path !== 'node_modules/node');
  return scripts.map((path) => `toolchain/package-lock.json: ${path} runs a script when it is installed`);
}

function parseLock(text: string): ToolchainLock {
  return JSON.parse(text) as ToolchainLock;
}

const dependencies = listDependencies();
const findings = [...dependencies.flatMap(judgeLicence), ...judgeToolchain()];
if (dependencies.length === 0) findings.push('pnpm knows of no dependencies: is the workspace installed?');
for (const finding of findings) process.stdout.write(`${finding}\n`);
process.exitCode = findings.length > 0 ? 1 : 0;
