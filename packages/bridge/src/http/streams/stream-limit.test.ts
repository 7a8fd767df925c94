import { expect, test } from 'vitest';

import { createStreamLimit } from './stream-limit.ts';

const tooMany = expect.objectContaining({ code: 'too_many_streams', status: 429 });

test('one account gets no more than its share, and others still get theirs', () => {
  const limit = createStreamLimit({ total: 5, perAccount: 2 });
  limit.take('a');
  const leave = limit.take('a');
  expect(() => limit.take('a')).toThrow(tooMany);
  limit.take('b');
  leave();
  limit.take('a');
  expect(() => limit.take('a')).toThrow(tooMany);
});

test('all accounts together get no more than there is', () => {
  const limit = createStreamLimit({ total: 2, perAccount: 2 });
  const leave = limit.take('a');
  limit.take('b');
  expect(() => limit.take('c')).toThrow(tooMany);
  leave();
  limit.take('c');
});

test('one that has ended is counted once, however often that is said', () => {
  const limit = createStreamLimit({ total: 2, perAccount: 2 });
  const leave = limit.take('a');
  limit.take('a');
  leave();
  leave();
  limit.take('a');
  expect(() => limit.take('a')).toThrow(tooMany);
});
