import { expect, test } from 'vitest';

import { resolveDynamicPrompt } from './dynamic-prompt.ts';

test.each([
  ['plain text', 'plain text'],
  ['{only}', 'only'],
  ['{a {b} c}', 'a b c'],
  ['{open', 'open'],
  ['closed}', 'closed}'],
  ['a | b', 'a | b'],
  ['\\{kept\\|as it is\\}', '{kept|as it is}'],
  ['C:\\dir', 'C:\\dir'],
  ['before // after\nnext', 'before \nnext'],
  ['a/* one */b/* two */c', 'abc'],
  ['a /* open', 'a /* open'],
  ['/* open // line\nend', '/* open \nend'],
  ['{}', ''],
])('%j becomes %j', (text, resolved) => {
  expect(resolveDynamicPrompt(text)).toBe(resolved);
});

test.each(['{a|b}', 'x {a {b|c} d}', '{a|{b}}', 'ends with \\', '{'.repeat(100)])(
  '%j has no answer of its own',
  (text) => {
    expect(resolveDynamicPrompt(text)).toBeUndefined();
  },
);

test('comments that are never closed take no longer than others', () => {
  const text = '/* '.repeat(500_000);
  expect(resolveDynamicPrompt(text) === text).toBe(true);
});
