import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';
import { runKeysCommand } from '../src/keys-command.ts';
import { bearer } from './_keys.ts';
import { upgrade } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';

/** The bridge looks every second. */
const patient = { timeout: 10_000 };

/** As in a shell: what it prints, and the exit code. */
async function command(dataDir: string, ...args: string[]) {
  const parsed = parseConfig({ cwd: dataDir, env: { DATA_DIR: dataDir } });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const printed = { stdout: '', stderr: '' };
  const code = await runKeysCommand(args, parsed.config, {
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
  });
  return { code, ...printed, id: /cbk_(\w{12})_/.exec(printed.stdout)?.[1] ?? '' };
}

const statusOf = async (t: TestBridge, secret: string) =>
  (await t.get('/workflow-list', { headers: bearer(secret.trim()) })).status;

test('a key that the command makes before the first start opens the bridge, also on a public address', async () => {
  await using world = await startWorld();
  const made = await command(
    world.dataDir,
    'create',
    '--name',
    'me',
    '--role',
    'operator',
    '--expires',
    '90d',
  );
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cbk_\S+\n$/) });
  await using t = await world.start({ env: { HOST: '0.0.0.0' } });
  const url = t.url.replace('0.0.0.0', '127.0.0.1');
  expect((await fetch(`${url}/workflow-list`)).status).toBe(401);
  expect((await fetch(`${url}/api/bridge/backends`, { headers: bearer(made.stdout.trim()) })).status).toBe(
    200,
  );
});

test('a running bridge takes up what the command creates, replaces and revokes, and closes what is open', async () => {
  await using world = await startWorld();
  // It is asked again and again for keys that it does not know yet.
  await using t = await world.start({ env: { KEYS: 'required', LIMIT_KEY_ATTEMPTS: '10000' } });
  const made = await command(world.dataDir, 'create', '--name', 'shop');
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/bridge that runs/) });
  await expect.poll(() => statusOf(t, made.stdout), patient).toBe(200);
  const rotated = await command(world.dataDir, 'rotate', made.id);
  await expect.poll(() => statusOf(t, rotated.stdout), patient).toBe(200);
  expect(await statusOf(t, made.stdout)).toBe(401);
  using socket = await openSocket(`${t.wsUrl}/ws?clientId=one`, { headers: bearer(rotated.stdout.trim()) });
  expect((await command(world.dataDir, 'revoke', made.id)).code).toBe(0);
  expect(await socket.closed).toMatchObject({ code: 4401 });
  expect((await upgrade(`${t.wsUrl}/ws?clientId=one`, bearer(rotated.stdout.trim()))).status).toBe(401);
  expect((await command(world.dataDir, 'list')).stdout).toMatch(/^\w{12} {2}revoked {2}client .* shop\n$/);
});

test('a wrong call says what is right, and makes nothing', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bridge-keys-'));
  for (const [args, reason] of [
    [[], /usage: comfy-bridge keys create/],
    [['make'], /usage/],
    [['create'], /name/],
    [['create', '--name', 'x', '--role', 'king'], /role/],
    [['create', '--name', 'x', '--expires', 'soon'], /such as 90d/],
    [['create', '--name', 'x', '--unfinished-jobs', 'many'], /limits\.unfinished_jobs/],
    [['create', '--nmae', 'x'], /--nmae/],
    [['revoke', 'nobody'], /there is no key nobody/],
    [['rotate', 'nobody'], /there is no key nobody/],
  ] as const) {
    const { code, stdout, stderr } = await command(dataDir, ...args);
    expect(stderr).toMatch(reason);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }
  expect(await command(dataDir, 'list')).toMatchObject({ code: 0, stdout: '' });
  await rm(dataDir, { recursive: true });
});

test('a public address without a key is refused with the ways out, unless the operator wants it open', async () => {
  const start = (env: Record<string, string>) => startBridge({ sims: 0, env: { HOST: '0.0.0.0', ...env } });
  await expect(start({})).rejects.toThrow(/keys create[^]*OPERATOR_TOKEN[^]*--insecure/);
  await expect(start({ KEYS: 'required', INSECURE: 'on' })).rejects.toThrow(/keys create/);
  for (const env of [{ INSECURE: 'true' }, { KEYS: 'off' }]) {
    await using t = await start(env);
    expect((await fetch(`${t.url.replace('0.0.0.0', '127.0.0.1')}/workflow-list`)).status).toBe(200);
  }
  await using t = await start({ OPERATOR_TOKEN: 'a-token-of-its-own' });
  expect((await fetch(`${t.url.replace('0.0.0.0', '127.0.0.1')}/workflow-list`)).status).toBe(401);
});
