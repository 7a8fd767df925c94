// The one entry point behind every root script: `npm start`, `npm test`, `npm run check`, …
//
// A machine needs nothing but npm and any Node >= 18. This file is plain JavaScript for that reason: it installs the
// pinned Node and pnpm of toolchain/package-lock.json, then the workspace, and hands over to them. A second run finds
// both stamps unchanged and starts at once.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const toolchain = join(root, 'toolchain');
const toolchainBin = join(toolchain, 'node_modules', '.bin');
const isWindows = process.platform === 'win32';
const node = isWindows
  ? join(toolchain, 'node_modules', 'node', 'bin', 'node.exe')
  : join(toolchainBin, 'node');
const pnpm = join(toolchain, 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');

const env = {
  ...process.env,
  PATH: [toolchainBin, join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  COREPACK_ENABLE_STRICT: '0',
  npm_config_verify_deps_before_run: 'false',
};

/** @param {string} command @param {string[]} args @param {{ cwd?: string, quiet?: boolean, shell?: boolean }} [options] */
function step(command, args, { cwd = root, quiet = false, shell = false } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env,
    stdio: quiet ? 'pipe' : 'inherit',
    shell,
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  process.stderr.write(
    `\n${[command, ...args].join(' ')} failed${result.error ? `: ${result.error.message}` : ''}\n`,
  );
  process.exit(result.status ?? 1);
}

/** A fingerprint of the files that decide what gets installed. @param {string[]} files */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files)
    if (existsSync(file)) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex');
}

/** Runs `install` unless `stamp` says that it already ran for these `files`. */
function once(stamp, files, install) {
  const wanted = fingerprint(files);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  install();
  writeFileSync(stamp, wanted);
}

function ensureToolchain() {
  const files = [join(toolchain, 'package.json'), join(toolchain, 'package-lock.json')];
  once(join(toolchain, 'node_modules', '.stamp'), files, () => {
    process.stderr.write('Setting up Node 24 and pnpm (once) …\n');
    // A half-finished earlier install would make npm believe that there is nothing to do.
    rmSync(join(toolchain, 'node_modules'), { recursive: true, force: true });
    step(isWindows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: toolchain,
      quiet: true,
      shell: isWindows,
    });
    step(node, ['--version'], { quiet: true });
  });
}

function ensureWorkspace() {
  const manifests = readdirSync(join(root, 'packages')).map((name) =>
    join(root, 'packages', name, 'package.json'),
  );
  const files = [
    'package.json',
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
    'test/package.json',
    'examples/typescript/package.json',
  ]
    .map((name) => join(root, name))
    .concat(manifests);
  once(join(root, 'node_modules', '.workspace-stamp'), files, () => {
    process.stderr.write('Installing the workspace (once) …\n');
    step(node, [pnpm, 'install', '--frozen-lockfile', '--reporter=silent'], { quiet: true });
  });
}

/** @param {string[]} only names of packages, with what they need; all when none is named */
function build(...only) {
  const filters = only.map((name) => `--filter=${name}`);
  step(
    node,
    [pnpm, 'exec', 'turbo', 'run', 'build', ...filters, '--output-logs=errors-only', '--log-order=grouped'],
    { quiet: true },
  );
}

/**
 * Hands over to a long-running program: signals go through, its exit code is ours.
 * @param {string[]} args
 * @param {{ cwd?: string | undefined, more?: Record<string, string> }} [options]
 */
function become(args, { cwd = root, more = {} } = {}) {
  const child = spawn(node, args, { cwd, env: { ...env, ...more }, stdio: 'inherit' });
  // Ctrl-C reaches the whole terminal group by itself; a signal sent to this process alone must be passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGTERM' ? 143 : 1)));
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}

const [name = 'help', ...rest] = process.argv.slice(2);
const commands = {
  start: () => (build(), become([join(root, 'scripts', 'start.ts'), ...rest])),
  // Settings lie in the root of the repository; files on the command line count from where npm was called.
  bridge: () => (
    build(),
    become([join(root, 'packages', 'bridge', 'dist', 'main.mjs'), ...rest], {
      more: { COMFY_BRIDGE_FILES_FROM: process.env.INIT_CWD ?? process.cwd() },
    })
  ),
  sim: () => (build(), become([join(root, 'packages', 'comfy-sim', 'dist', 'cli.mjs'), ...rest])),
  // Paths are given from where npm was called, which is not where it runs its scripts.
  patch: () => (
    build('comfy-bridge-patch'),
    become([join(root, 'packages', 'patch-cli', 'dist', 'cli.mjs'), ...rest], {
      cwd: process.env.INIT_CWD,
      more: { COMFY_BRIDGE_PATCH_CALLED_AS: 'npm run patch --' },
    })
  ),
  test: () => (build(), become([pnpm, 'exec', 'vitest', 'run', ...rest])),
  check: () => become([join(root, 'scripts', 'check.ts'), ...rest]),
  audit: () => become([join(root, 'scripts', 'audit.ts')]),
  format: () => become([pnpm, 'exec', 'oxfmt', '.']),
  bench: () => (build(), become([join(root, 'test', 'bench', 'main.ts'), ...rest])),
  // For everything else: `npm exec`-like access to the pinned tools, e.g. `node scripts/run.mjs exec pnpm --version`.
  exec: () => become([pnpm, 'exec', ...rest]),
  setup: () => {},
};

if (!Object.hasOwn(commands, name)) {
  process.stderr.write(`unknown command «${name}»; one of: ${Object.keys(commands).join(', ')}\n`);
  process.exit(2);
}
ensureToolchain();
ensureWorkspace();
commands[name]();
