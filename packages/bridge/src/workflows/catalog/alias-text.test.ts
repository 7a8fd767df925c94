import { expect, test } from 'vitest';

import { removeAliasEntry, setAliasEntry } from './alias-text.ts';

const byHand = `[
    {
        "alias": "one", "fn": "one.json",
        "note": "keep me",  "description": "First"
    },
    { "fn": "two.json", "alias": "two" }
]
`;

test('an entry is changed in its place; unknown keys, order and layout stay', () => {
  expect(setAliasEntry(byHand, { alias: 'one', fn: 'one.json', description: 'New "first"' })).toBe(
    byHand.replace('"First"', '"New \\"first\\""'),
  );
});

test('what is the same already is not touched', () => {
  const spelled = byHand.replace('"First"', '"Fir\\u0073t"');
  expect(setAliasEntry(spelled, { alias: 'one', fn: 'one.json', description: 'First' })).toBe(spelled);
});

test('keys that an entry lacks are added at its end, in its layout', () => {
  expect(setAliasEntry(byHand, { alias: 'two', fn: 'two.json', description: 'D', thumbnail: 't.png' })).toBe(
    byHand.replace('"two" }', '"two", "description": "D", "thumbnail": "t.png" }'),
  );
  expect(
    setAliasEntry(byHand, { alias: 'one', fn: 'one.json', description: 'First', thumbnail: 't.png' }),
  ).toBe(byHand.replace('"First"', '"First",\n        "thumbnail": "t.png"'));
});

test('a new entry comes last, in the manner of the one before', () => {
  expect(setAliasEntry(byHand, { alias: 'three', fn: '3.json', description: '' })).toBe(
    byHand.replace('"two" }', '"two" },\n    { "alias": "three", "fn": "3.json", "description": "" }'),
  );
  const lines = '[\r\n\t{\r\n\t\t"alias": "a",\r\n\t\t"fn": "a.json"\r\n\t}\r\n]';
  expect(setAliasEntry(lines, { alias: 'b', fn: 'b.json', description: 'B' })).toBe(
    '[\r\n\t{\r\n\t\t"alias": "a",\r\n\t\t"fn": "a.json"\r\n\t},\r\n\t{\r\n\t\t"alias": "b",\r\n\t\t"fn": "b.json",\r\n\t\t"description": "B"\r\n\t}\r\n]',
  );
});

test('a file that is missing or empty gets its first entry', () => {
  const entry = { alias: 'a', fn: 'a.json', description: '', thumbnail: '' };
  const first = '[\n  {\n    "alias": "a",\n    "fn": "a.json",\n    "description": ""\n  }\n]';
  expect(setAliasEntry(undefined, entry)).toBe(`${first}\n`);
  expect(setAliasEntry('\uFEFF[]', entry)).toBe(`\uFEFF${first}`);
});

test('of two entries of one alias the first is changed, as it is the one that counts', () => {
  const twice = '[{"alias": "a", "fn": "1.json"}, {"alias": " a ", "fn": "2.json"}]';
  expect(setAliasEntry(twice, { alias: 'a', fn: '3.json', description: '' })).toBe(
    twice.replace('1.json', '3.json'),
  );
  expect(removeAliasEntry(twice, 'a')).toBe('[]');
});

test.each([
  ['first', '[\n  1,\n  {"alias": "c"}\n]', 'x'],
  ['first', '[\n  {"alias": "b"},\n  {"alias": "c"}\n]', 'a'],
  ['middle', '[\n  {"alias": "a"},\n  {"alias": "c"}\n]', 'b'],
  ['last', '[\n  {"alias": "a"},\n  {"alias": "b"}\n]', 'c'],
])('the %s entry is cut out without a trace', (_which, left, alias) => {
  const text =
    alias === 'x'
      ? '[\n  1,\n  {"alias": "x"},\n  {"alias": "c"}\n]'
      : '[\n  {"alias": "a"},\n  {"alias": "b"},\n  {"alias": "c"}\n]';
  expect(removeAliasEntry(text, alias)).toBe(left);
});

test('the only entry leaves an empty list; an alias that is not there changes nothing', () => {
  expect(removeAliasEntry('[\n  {"alias": "a"}\n]\n', 'a')).toBe('[]\n');
  expect(removeAliasEntry(byHand, 'three')).toBe(byHand);
});
