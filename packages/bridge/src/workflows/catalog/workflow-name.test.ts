import { expect, test } from 'vitest';

import { foldName, parseAlias, toWorkflowFileName } from './workflow-name.ts';

test.each(['a', 'text-to-image', '그림 그리기', '🎨', 'a:b?*', 'CON', '...a', 'x'.repeat(128), '__proto__'])(
  'the alias %j is taken',
  (alias) => {
    expect(parseAlias(alias)).toEqual({ ok: true, alias });
  },
);

test.each([
  ['', '1 to 128'],
  ['   ', '1 to 128'],
  ['x'.repeat(129), '1 to 128'],
  ['../x', 'no "/"'],
  ['a/b', 'no "/"'],
  ['a\\b', 'no "/"'],
  ['.', 'neither'],
  ['..', 'neither'],
  ['a\nb', 'control'],
  ['a\0', 'control'],
  ['a\u202Eb', 'control'],
  ['\uD800', 'control'],
  [' a', 'space'],
])('the alias %j is refused', (alias, problem) => {
  expect(parseAlias(alias)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});

test('what is written in two ways in Unicode is one alias', () => {
  expect(parseAlias('그림'.normalize('NFD'))).toEqual({ ok: true, alias: '그림' });
  expect(foldName('Éa')).toBe(foldName('éA'.normalize('NFD')));
});

const free = () => false;

test.each([
  ['text-to-image', 'text-to-image.json'],
  ['upscale.json', 'upscale.json'],
  ['그림 그리기', '그림 그리기.json'],
])('the file of %j is %s', (alias, fileName) => {
  expect(toWorkflowFileName(alias, free)).toBe(fileName);
});

test.each(['🎨', 'a:b?*', 'CON', 'con.txt', '...a', '-rf', 'a.', '~', '가'.repeat(128), '$(x)', 'LPT1'])(
  'the file of %j has a name that every system takes',
  (alias) => {
    const fileName = toWorkflowFileName(alias, free);
    expect(fileName).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}._ -]*-[0-9a-f]{8}\.json$/u);
    expect(fileName).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\b(?!-)/i);
    expect(Buffer.byteLength(fileName)).toBeLessThan(130);
  },
);

test('a name that is taken is left to its file', () => {
  const taken = new Set(['a.json']);
  const next = () => {
    const fileName = toWorkflowFileName('a', (name) => taken.has(name));
    taken.add(fileName);
    return fileName;
  };
  expect([next(), next(), next()]).toEqual([
    expect.stringMatching(/^a-[0-9a-f]{8}\.json$/),
    expect.stringMatching(/^a-[0-9a-f]{8}-2\.json$/),
    expect.stringMatching(/^a-[0-9a-f]{8}-3\.json$/),
  ]);
});
