import { expect, test } from 'vitest';

import { createNewestOfEach } from './newest-of-each.ts';

test('of each thing the newest is given out, at most once in a while', () => {
  const given: string[] = [];
  const newest = createNewestOfEach<string, string>({ gapMs: 100 });
  const give = (now: number) => newest.give(now, (value) => given.push(value));
  newest.put('a', 'a1');
  newest.put('a', 'a2');
  expect(give(0)).toBe(false);
  newest.put('a', 'a3');
  newest.put('b', 'b1');
  expect(give(50)).toBe(true);
  expect(given).toEqual(['a2', 'b1']);
  newest.put('a', 'a4');
  expect(give(100)).toBe(false);
  expect(given).toEqual(['a2', 'b1', 'a4']);
});

test('what was removed is not given out', () => {
  const given: string[] = [];
  const newest = createNewestOfEach<string, string>({ gapMs: 100 });
  newest.put('a', 'a1');
  newest.remove('a');
  expect(newest.give(0, (value) => given.push(value))).toBe(false);
  expect(given).toEqual([]);
});
