import { expect, test } from 'vitest';

import { optionsOf } from '../src/cli/command-spec.ts';
import { commandTable } from '../src/cli/command-table.ts';
import { cli } from './_cli.ts';

const own = commandTable.filter(({ isRaw }) => isRaw !== true);

test('the help of every command reads as recorded', async () => {
  const texts: string[] = [];
  for (const { name } of own.filter(({ name }) => name !== 'start')) {
    const { code, stdout, stderr } = await cli([...name.split(' '), '--help']);
    expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
    texts.push(`$ comfy-bridge ${name} --help\n${stdout}`);
  }
  await expect(texts.join('\n')).toMatchFileSnapshot('./cli-help.txt');
  expect(
    Math.max(
      ...texts
        .join('\n')
        .split('\n')
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(100);
});

test('every command loads, and each of its options has a name of its own', async () => {
  for (const spec of commandTable) {
    expect(await spec.load(), spec.name).toBeTypeOf('function');
    const names = optionsOf(spec).flatMap(({ long, short }) => [long, short ?? long]);
    const flags = optionsOf(spec).flatMap(({ short }) => short ?? []);
    expect(new Set(names).size, spec.name).toBe(optionsOf(spec).length + flags.length);
  }
});

test('all but what is for a shell, or endless, prints JSON when it is asked to', () => {
  const without = own.filter((spec) => !optionsOf(spec).some(({ long }) => long === '--json'));
  expect(without.map(({ name }) => name)).toEqual(['start', 'workflows file', 'completion']);
});

test('no option takes a key or a token itself: a command line can be seen by others', () => {
  const names = commandTable.flatMap(optionsOf).map(({ long }) => long);
  expect(names.filter((name) => /key|token|secret|password/.test(name))).toEqual(
    expect.not.arrayContaining(['--key', '--token', '--secret', '--password', '--api-key']),
  );
});

test.each([
  [['bakends'], /backends/],
  [['jobs', 'lst'], /there is no jobs lst, but list/],
  [['run'], /workflow/],
  [['run', 'a', 'b'], /too many arguments/],
  [['jobs', '--limt', '3'], /--limit/],
  [['jobs', '--limit', 'many'], /from 1 to 200/],
  [['completion', 'tcsh'], /bash, zsh, fish/],
  [['run', 'a', '--force'], /--output/],
  [['run', 'a', '--no-wait', '-o', 'x/'], /--no-wait/],
  [['run', 'a', '--timeout', 'long'], /seconds/],
  [['run', 'a', '--priority', '9'], /from 0 to 7/],
  [['jobs', '--url', 'ftp://x'], /--url is the address/],
  [['jobs', '--url', 'http://me:secret@x'], /COMFY_BRIDGE_KEY/],
  [['jobs', 'priority', 'x', 'soon'], /from -100 to 100/],
  [['backends', 'add', 'x:1', '--weight', 'heavy'], /such as 2/],
] as const)('wrong usage is exit code 2, and says what is right: %j', async (args, reason) => {
  const { code, stdout, stderr } = await cli(args, { env: { COMFY_BRIDGE_URL: 'http://127.0.0.1:9' } });
  expect(stderr).toMatch(reason);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).not.toContain('secret');
});

test('a group alone is its list, and options that all share may stand before it', async () => {
  const asked = await cli(['--url', 'http://127.0.0.1:9', 'jobs', '--json']);
  expect(asked).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('127.0.0.1:9') });
});

test('--version is the version alone', async () => {
  expect(await cli(['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});
