import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { runProgram } from '../src/outside/run-program.ts';
import { runIn } from './_cli.ts';
import { createFolder } from './_tree.ts';

const hasNginx = (await runProgram('nginx', ['-v']))?.code === 0;
const hasOpenssl = (await runProgram('openssl', ['version']))?.code === 0;

test.each([
  ['--server-name', 'a;b', '--server-name'],
  ['--server-name', 'x { return 200; }', '--server-name'],
  ['--server-name', 'a\nb', '--server-name'],
  ['--listen', '80 default_server', '--listen'],
  ['--listen', '70000', '--listen'],
  ['--upstream', '127.0.0.1', '--upstream'],
  ['--upstream', '127.0.0.1:8188;', '--upstream'],
  ['--upstream', 'unix:/tmp/x', '--upstream'],
  ['--base-path', '/a/../b', '--base-path'],
  ['--base-path', '/a b', '--base-path'],
  ['--max-body', '1m;', '--max-body'],
  ['--tls-cert', '/c.pem', '--tls-key go together'],
])('%s %j is refused: nothing can be slipped into the file', async (option, value, says) => {
  const { code, err, out } = await runIn({ payload: '/nowhere' }, 'nginx', option, value);
  expect(code).toBe(2);
  expect(err).toContain(says);
  expect(out).toBe('');
});

test.each(['relative.pem', '/a"b', '/a$b', '/a;b', '/a\nb', String.raw`/a\b`])(
  'a certificate at %j is refused',
  async (path) => {
    const { code } = await runIn(
      { payload: '/nowhere' },
      'nginx',
      '--tls-cert',
      path,
      '--tls-key',
      '/key.pem',
    );
    expect(code).toBe(2);
  },
);

test('the file has what a WebSocket, uploads and results need', async () => {
  const { out, code } = await runIn(
    { payload: '/nowhere' },
    'nginx',
    '--server-name',
    'gpu.example',
    '--base-path',
    '/gpu-1/',
  );
  expect(code).toBe(0);
  for (const line of [
    'server_name gpu.example;',
    'location /gpu-1/ {',
    'proxy_buffering off;',
    'proxy_request_buffering off;',
    'proxy_set_header Upgrade $http_upgrade;',
    'client_max_body_size 256m;',
  ])
    expect(out).toContain(line);
  // With the slash, which takes the path in front away.
  expect(out).toMatch(/proxy_pass http:\/\/comfy_bridge_[0-9a-f]+\/;/);
});

test('a file is written once, and replaced only with --force', async () => {
  using folder = createFolder();
  const path = join(folder.path, 'site.conf');
  const run = (...args: string[]) => runIn({ payload: folder.path }, 'nginx', '--out', path, ...args);
  expect(await run('--dry-run')).toMatchObject({ code: 0 });
  expect(existsSync(path)).toBe(false);
  expect(await run()).toMatchObject({ code: 0 });
  expect((await run()).err).toContain('--force');
  expect(await run('--force', '--listen', '8080')).toMatchObject({ code: 0 });
  expect(readFileSync(path, 'utf8')).toContain('listen 8080;');
});

test('without nginx --check says so', async () => {
  using folder = createFolder();
  const { code, err } = await runIn({ payload: folder.path }, 'nginx', '--check');
  expect(code).toBe(1);
  expect(err).toContain('Install nginx');
  expect(readdirSync(folder.path)).toEqual([]);
});

// Skipped where there is no nginx.
test.skipIf(!hasNginx)('nginx itself takes the file, under every combination of parameters', async () => {
  using folder = createFolder();
  const world = { payload: folder.path, host: { runProgram } };
  const variants = [
    [],
    ['--server-name', '*.bridge.example', '--listen', '127.0.0.1:18443'],
    ['--listen', '[::1]:18080', '--upstream', '[::1]:8188', '--base-path', '/a/b', '--max-body', '0'],
  ];
  if (hasOpenssl) variants.push(['--listen', '18444', ...createCertificate(folder.path)]);
  for (const args of variants) {
    const { code, out, err } = await runIn(world, 'nginx', '--check', '--listen', '18080', ...args);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('test is successful');
  }
  expect(readdirSync(folder.path).filter((name) => name.startsWith('comfy-bridge-nginx'))).toEqual([]);
});

test.skipIf(!hasNginx)('what nginx does not take is told in its words', async () => {
  using folder = createFolder();
  const world = { payload: folder.path, host: { runProgram } };
  const { code, err } = await runIn(
    world,
    'nginx',
    '--check',
    '--listen',
    '18080',
    '--tls-cert',
    '/not/there.pem',
    '--tls-key',
    '/not/there.key',
  );
  expect(code).toBe(1);
  expect(err).toContain('/not/there.pem');
});

function createCertificate(folder: string): string[] {
  const [key, certificate] = [join(folder, 'key with space.pem'), join(folder, 'cert.pem')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=bridge.example', '-days', '1'];
  execFileSync('openssl', [...args, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return ['--tls-cert', certificate, '--tls-key', key];
}
