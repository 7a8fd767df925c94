import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Builds the command as it ships, with the pack as it is now; hardly takes a moment when nothing has changed. */
export async function buildPatchCli(): Promise<void> {
  const build = ['exec', 'turbo', 'run', 'build', '--filter=comfy-bridge-patch', '--output-logs=errors-only'];
  await run(join(root, 'toolchain/node_modules/.bin/pnpm'), build, {
    cwd: root,
    env: { ...process.env, npm_config_verify_deps_before_run: 'false' },
  });
}

export interface PatchAnswer {
  ok: boolean;
  what?: string;
  token?: string;
  state?: string;
}

/** Runs the built command; rejects when it fails, with all that it said. */
export async function patch(...args: string[]): Promise<PatchAnswer> {
  const command = join(root, 'packages/patch-cli/dist/cli.mjs');
  const { stdout } = await run(process.execPath, [command, ...args, '--json']);
  const answer: PatchAnswer = JSON.parse(stdout);
  return answer;
}
