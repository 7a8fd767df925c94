import { expect, test } from 'vitest';

import { createRecentSet } from './recent-set.ts';

test('remembers the newest members only', () => {
  const set = createRecentSet<number>(3);
  for (let member = 1; member <= 5; member += 1) set.add(member);
  expect([1, 2, 3, 4, 5].map((member) => set.has(member))).toEqual([false, false, true, true, true]);
});

test('forgets a member that was deleted, and has room again', () => {
  const set = createRecentSet<string>(2);
  for (const member of ['a', 'b']) set.add(member);
  set.delete('b');
  set.delete('unknown');
  set.add('c');
  expect(['a', 'b', 'c'].map((member) => set.has(member))).toEqual([true, false, true]);
});

test('adding a member again does not push others out', () => {
  const set = createRecentSet<string>(2);
  set.add('a');
  set.add('b');
  set.add('b');
  expect([set.has('a'), set.has('b')]).toEqual([true, true]);
});
