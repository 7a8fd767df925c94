import { expect, test } from 'vitest';

import { optionsOf } from '../src/options.ts';
import { runIn } from './_cli.ts';

const world = { payload: '/nowhere' };

test('--help names every command and every option', async () => {
  const { out, code } = await runIn(world, '--help');
  expect(code).toBe(0);
  for (const [command, options] of Object.entries(optionsOf)) {
    expect(out).toContain(command);
    for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
  }
  for (const [option] of out.matchAll(/--[a-z-]+/g))
    expect([
      '--help',
      '--version',
      ...Object.values(optionsOf).flatMap((options) => Object.keys(options).map((name) => `--${name}`)),
    ]).toContain(option);
});

test('every line of --help fits a terminal', async () => {
  const { out } = await runIn(world, 'install', '--help');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test.each([
  [[]],
  [['instal', '/x']],
  [['install']],
  [['install', '/x', '/y']],
  [['install', '/x', '--nonsense']],
  [['install', '/x', '--token', 'short']],
  [['install', '/x', '--token', 'with spaces in it ok']],
  [['install', '/x', '--token', '0123456789abcdef', '--no-token']],
  [['install', '/x', '--schedule', '25:00-08:00']],
  [['install', '/x', '--owner-from', '192.168.1.0/33']],
  [['install', '/x', '--port', '0']],
  [['status', '/x', '--force']],
  [['pause', '/x']],
])('%j is wrong usage: exit code 2, one line and where to look', async (args) => {
  const { code, err, out } = await runIn(world, ...args);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toMatch(/^.+\n→ See comfy-bridge-patch --help\.\n$/s);
  if (args.length > 0)
    expect(JSON.parse((await runIn(world, ...args, '--json')).out)).toMatchObject({
      ok: false,
      error: { code: 'usage' },
    });
});

test('--version is the package’s', async () => {
  expect((await runIn({ ...world, version: '1.2.3' }, '--version')).out).toBe('1.2.3\n');
});
