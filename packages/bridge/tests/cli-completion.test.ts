import { execFile, spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { cli, temporaryFolder } from './_cli.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const main = join(import.meta.dirname, '../src/main.ts');
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** Where much else runs. */
const slowly: Record<string, string> = { COMFY_BRIDGE_COMPLETION_MS: '10000' };

/** Candidates for the last of these words. */
async function offered(words: string[], url = 'http://127.0.0.1:65432', env = slowly): Promise<string[]> {
  const { code, stdout, stderr } = await cli(['complete-words', '--', ...words], { url, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

test('commands, verbs, options and choices need no bridge', async () => {
  expect(await offered([''])).toEqual(
    expect.arrayContaining(['start', 'run', 'workflows', 'backends', 'jobs', 'keys', 'doctor', 'completion']),
  );
  expect(await offered(['backe'])).toEqual(['backends']);
  expect(await offered(['backends', 're'])).toEqual(['resume', 'remove']);
  expect(await offered(['keys', ''])).toEqual(['create', 'list', 'rotate', 'revoke']);
  expect(await offered(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
  expect(await offered(['jobs', '--st'])).toEqual(['--status']);
  expect(await offered(['jobs', '--status', 'can'])).toEqual(['canceled', 'canceling']);
  expect(await offered(['jobs', '--status=fa'])).toEqual(['--status=failed']);
  expect(await offered(['run', 'upscale', '-o', ''])).toEqual([':file']);
  expect(await offered(['workflows', 'publish', 'name', ''])).toEqual([':file']);
  expect(await offered(['nonsense', ''])).toEqual([]);
});

test('names come from the bridge: workflows, inputs, jobs, backends', async () => {
  await using t = await startBridge();
  const ask = (...words: string[]) => offered(words, t.url);
  expect(await ask('run', 'up')).toEqual(['upscale', 'upscale-with-model']);
  expect(await ask('run', 'upscale', '-i', '')).toEqual(['picture=', 'factor=', 'method=']);
  expect(await ask('run', 'upscale', '--image', '')).toEqual(['picture=', ':file']);
  expect(await ask('run', 'upscale', '--image', 'picture=')).toEqual([':file']);
  expect(await ask('run', 'upscale', '--video', '')).toEqual([':file']);
  expect(await ask('backends', 'drain', '')).toEqual(['backend-1']);
  const id = (await cli(['run', 'text-to-image', '--no-wait'], { url: t.url })).stdout.trim();
  expect(await ask('jobs', 'cancel', id.slice(0, 4))).toEqual([id]);
  expect(await offered(['run', '--url', t.url, 'up'])).toEqual(['upscale', 'upscale-with-model']);
});

test('a bridge that hangs does not hold up the shell', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const began = performance.now();
  expect(await offered(['run', ''], `http://127.0.0.1:${port}`, {})).toEqual([]);
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

/** A folder with the program as `comfy-bridge` in it. */
async function installed(t: TestBridge) {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'comfy-bridge');
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  await chmod(file, 0o755);
  await writeFile(join(folder.path, 'cat picture.png'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await cli(['completion', shell]);
    await writeFile(join(folder.path, `completion.${shell}`), stdout);
  }
  const path = [folder.path, process.env['PATH']].join(delimiter);
  const env = { ...slowly, PATH: path, COMFY_BRIDGE_URL: t.url, LC_ALL: 'C.UTF-8', HOME: folder.path };
  return {
    async run(shell: string, args: string[]): Promise<string[]> {
      const { stdout } = await promisify(execFile)(shell, args, { env, cwd: folder.path });
      return stdout.split('\n').filter((line) => line !== '');
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test.skipIf(!has('bash'))('bash completes with the script that is printed', { timeout: 60_000 }, async () => {
  await using t = await startBridge();
  await using shell = await installed(t);
  const complete = (...words: string[]) =>
    shell.run('bash', [
      '--norc',
      '-c',
      `source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _comfy_bridge; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      'comfy-bridge',
      ...words,
    ]);
  expect(await complete('backe')).toEqual(['backends']);
  expect(await complete('run', 'upscale-')).toEqual(['upscale-with-model']);
  expect(await complete('run', 'upscale', '-i', 'fac')).toEqual(['factor=']);
  expect(await complete('run', 'upscale', '--image', '@cat')).toEqual(['@cat picture.png']);
  // As bash itself takes them apart.
  expect(await complete('jobs', '--status', '=', 'fa')).toEqual(['failed']);
  expect(await complete('run', 'upscale', '--image', 'picture', '=', 'cat')).toEqual(['cat picture.png']);
  const { port } = new URL(t.url);
  expect(await complete('run', '--url', 'http', ':', `//127.0.0.1`, ':', port, 'upscale-')).toEqual([
    'upscale-with-model',
  ]);
});

test.skipIf(!has('fish'))('fish completes with the script that is printed', { timeout: 60_000 }, async () => {
  await using t = await startBridge();
  await using shell = await installed(t);
  const lines = await shell.run('fish', [
    '--no-config',
    '-c',
    `source completion.fish; complete -C 'comfy-bridge run upscale-'`,
  ]);
  expect(lines.map((line) => line.split('\t')[0])).toEqual(['upscale-with-model']);
});

test.skipIf(!has('zsh'))('zsh reads the script that is printed', { timeout: 60_000 }, async () => {
  await using t = await startBridge();
  await using shell = await installed(t);
  const script = 'autoload -Uz compinit; compinit -u; source ./completion.zsh; print $_comps[comfy-bridge]';
  expect(await shell.run('zsh', ['-f', '-c', script])).toEqual(['_comfy_bridge']);
});
