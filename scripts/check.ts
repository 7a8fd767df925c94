// `npm run check` (or `pnpm check`): everything that a machine can judge without running the bridge.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Check {
  name: string;
  command: string;
  args: string[];
  fix: string;
}

const checks: Check[] = [
  { name: 'format', command: 'oxfmt', args: ['--check', '.'], fix: 'npm run format' },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'], fix: 'mend what it names' },
  {
    name: 'types',
    command: 'turbo',
    args: ['run', 'typecheck', '--output-logs=errors-only', '--log-order=grouped'],
    fix: 'mend what it names',
  },
  {
    name: 'root types',
    command: 'tsc',
    args: ['--noEmit', '-p', 'tsconfig.json'],
    fix: 'mend what it names',
  },
  { name: 'dead code', command: 'knip', args: ['--no-config-hints'], fix: 'remove what nothing uses' },
  {
    name: 'dependencies',
    command: 'node',
    args: [join('scripts', 'check-dependencies.ts')],
    fix: 'take what may be taken',
  },
];

/** Runs one check and gives its output back, so that checks running side by side do not mix their lines. */
function run({ command, args }: Check): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, shell: process.platform === 'win32' });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

/** Pages that say where something is. */
const maps = ['architecture.md', 'security.md'];

/** Paths that these pages name must exist: a map that lies is worse than none. */
function findStalePaths(): string[] {
  const text = maps.map((name) => readFileSync(join(root, 'docs', name), 'utf8')).join('\n');
  const named = [...text.matchAll(/`((?:packages|test|workflows|docs|scripts|examples|deploy)\/[\w./-]+)`/g)];
  return [...new Set(named.map(([, path]) => path ?? ''))].filter((path) => !existsSync(join(root, path)));
}

let failed = false;
for (const check of checks) {
  const { ok, output } = await run(check);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${check.name}\n`);
  if (ok) continue;
  failed = true;
  process.stdout.write(`${output.trimEnd()}\n  → ${check.fix}\n`);
}
const stale = findStalePaths();
process.stdout.write(
  `${stale.length === 0 ? 'ok    ' : 'FAILED'} paths in docs/architecture.md and docs/security.md\n`,
);
if (stale.length > 0) {
  failed = true;
  process.stdout.write(`  not there: ${stale.join(', ')}\n`);
}
process.exitCode = failed ? 1 : 0;
