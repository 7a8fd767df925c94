import { expect, it } from 'vitest';

import { parseAliasFile } from './alias-file.ts';

const parse = (value: unknown) => parseAliasFile(JSON.stringify(value));

it('reads entries as the original wrote them', () => {
  const entry = {
    alias: '이미지',
    fn: 'i2i.json',
    description: 'Redraws. / 다시 그립니다.',
    thumbnail: 'i2i.png',
  };
  expect(parse([entry, { alias: 'b', fn: 'b.json', thumbnail: '' }])).toEqual({
    ok: true,
    entries: [
      { alias: '이미지', fileName: 'i2i.json', description: entry.description, thumbnailFile: 'i2i.png' },
      { alias: 'b', fileName: 'b.json', description: '' },
    ],
    problems: [],
  });
});

it('lets the first of two equal aliases count, and says so', () => {
  const parsed = parse([
    { alias: 'a', fn: '1.json' },
    { alias: 'a', fn: '2.json' },
  ]);
  expect(parsed).toMatchObject({ ok: true, entries: [{ fileName: '1.json' }] });
  expect(parsed.ok && parsed.problems).toEqual([
    'entry 2: the alias "a" is taken by an entry above; that one counts',
  ]);
});

it.each([
  ['text', 'must be an object'],
  [{ fn: 'a.json' }, '"alias"'],
  [{ alias: ' ', fn: 'a.json' }, '"alias"'],
  [{ alias: 'a\nb', fn: 'a.json' }, '"alias"'],
  [{ alias: 'a' }, '"fn"'],
  [{ alias: 'a', fn: '../x.json' }, '"fn"'],
  [{ alias: 'a', fn: '/etc/x.json' }, '"fn"'],
  [{ alias: 'a', fn: 'sub\\x.json' }, '"fn"'],
  [{ alias: 'a', fn: 'C:x.json' }, '"fn"'],
  [{ alias: 'a', fn: '..' }, '"fn"'],
])('leaves a wrong entry out and keeps the others: %j', (wrong, told) => {
  const parsed = parse([wrong, { alias: 'good', fn: 'good.json' }]);
  expect(parsed).toMatchObject({ ok: true, entries: [{ alias: 'good' }] });
  expect(parsed.ok && parsed.problems).toEqual([expect.stringContaining(told)]);
});

it('keeps an entry whose thumbnail lies elsewhere, without the thumbnail', () => {
  const parsed = parse([{ alias: 'a', fn: 'a.json', thumbnail: '../secret.png' }]);
  expect(parsed.ok && parsed.entries).toEqual([{ alias: 'a', fileName: 'a.json', description: '' }]);
  expect(parsed.ok && parsed.problems).toHaveLength(1);
});

it.each(['{}', '', '[', 'null'])('refuses a file that is no list: %j', (text) => {
  expect(parseAliasFile(text)).toMatchObject({ ok: false });
});
