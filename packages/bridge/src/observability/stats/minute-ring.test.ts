import { expect, test } from 'vitest';

import { createMinuteRing } from './minute-ring.ts';

function startRing(minutes = 3) {
  const clock = { ms: 60_000 * 1_000 };
  const ring = createMinuteRing(['done', 'failed'], { minutes, now: () => clock.ms });
  return { ring, pass: (count: number) => (clock.ms += count * 60_000) };
}

test('each minute is counted by itself, the last one first to change', () => {
  const { ring, pass } = startRing();
  ring.note('done');
  ring.note('failed');
  pass(1);
  ring.note('done');
  ring.note('done');
  expect(ring.perMinute('done', 3)).toEqual([0, 1, 2]);
  expect(ring.sum(3)).toEqual({ done: 3, failed: 1 });
  expect(ring.sum(1)).toEqual({ done: 2, failed: 0 });
});

test('a minute that is too old is forgotten, whether anything came since or not', () => {
  const { ring, pass } = startRing();
  ring.note('done');
  pass(3);
  expect(ring.sum(3)).toEqual({ done: 0, failed: 0 });
  ring.note('failed');
  expect(ring.perMinute('done', 3)).toEqual([0, 0, 0]);
  expect(ring.sum(3)).toEqual({ done: 0, failed: 1 });
  pass(1_000);
  expect(ring.sum(3)).toEqual({ done: 0, failed: 0 });
});
