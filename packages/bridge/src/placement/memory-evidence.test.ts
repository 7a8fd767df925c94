import { describe, expect, test } from 'vitest';

import { keepRows } from './_learned.ts';
import { seededRuns } from './_random.ts';
import { createMemoryEvidence } from './memory-evidence.ts';
import type { MemoryEvidence } from './memory-evidence.ts';

const gb = 2 ** 30;
const hour = 3_600_000;
const noon = Date.UTC(2_030, 0, 1, 12);
const video = { workflow: 'video', sizeClass: 20 };
const atSize = (sizeClass: number) => ({ ...video, sizeClass });

function wentOutWith(usable: number, work = video, at = noon): MemoryEvidence {
  const memory = createMemoryEvidence();
  memory.wentOut(work, usable, at);
  return memory;
}

test('no machine is too small while nothing speaks against it', () => {
  const memory = createMemoryEvidence();
  expect(memory.isTooSmall(video, 1, noon)).toBe(false);
  expect(memory.needsMoreThan(video, noon)).toBe(0);
  expect(memory.peak(video)).toBeUndefined();
});

describe('what went out of memory on 8 GB', () => {
  test('does not go to 8 GB again, nor to less, nor to a tenth more', () => {
    const memory = wentOutWith(8 * gb);
    expect(memory.isTooSmall(video, 8 * gb, noon)).toBe(true);
    expect(memory.isTooSmall(video, 4 * gb, noon)).toBe(true);
    expect(memory.isTooSmall(video, 8.7 * gb, noon)).toBe(true);
    expect(memory.needsMoreThan(video, noon)).toBe(8 * gb);
  });

  test('goes to 12 GB', () => {
    expect(wentOutWith(8 * gb).isTooSmall(video, 12 * gb, noon)).toBe(false);
  });

  test('does not go there in any larger size, but may in a smaller one', () => {
    const memory = wentOutWith(8 * gb);
    expect(memory.isTooSmall(atSize(20.5), 8 * gb, noon)).toBe(true);
    expect(memory.isTooSmall(atSize(90), 8 * gb, noon)).toBe(true);
    expect(memory.isTooSmall(atSize(19.5), 8 * gb, noon)).toBe(false);
  });

  test('says nothing of other workflows', () => {
    expect(wentOutWith(8 * gb).isTooSmall({ ...video, workflow: 'portrait' }, 8 * gb, noon)).toBe(false);
  });

  test('is tried there again after a day, and not before', () => {
    const memory = wentOutWith(8 * gb);
    expect(memory.isTooSmall(video, 8 * gb, noon + 23 * hour)).toBe(true);
    expect(memory.isTooSmall(video, 8 * gb, noon + 24 * hour)).toBe(false);
    expect(memory.needsMoreThan(video, noon + 24 * hour)).toBe(0);
  });

  test('says nothing of a machine whose memory is unknown', () => {
    expect(wentOutWith(8 * gb).isTooSmall(video, 0, noon)).toBe(false);
  });
});

test('where the memory was unknown, running out of it is no evidence', () => {
  const memory = wentOutWith(0);
  expect(memory.needsMoreThan(video, noon)).toBe(0);
  expect(memory.takeChanges().size).toBe(0);
});

test('of several machines the largest that was too small counts', () => {
  const memory = wentOutWith(12 * gb);
  memory.wentOut(video, 8 * gb, noon + hour);
  expect(memory.isTooSmall(video, 12 * gb, noon + hour)).toBe(true);
  expect(memory.isTooSmall(video, 16 * gb, noon + hour)).toBe(false);
});

test('what is a day old does not come back with new evidence of less', () => {
  const memory = wentOutWith(12 * gb);
  memory.wentOut(video, 4 * gb, noon + 25 * hour);
  expect(memory.isTooSmall(video, 4 * gb, noon + 25 * hour)).toBe(true);
  expect(memory.isTooSmall(video, 8 * gb, noon + 25 * hour)).toBe(false);
});

test('while its owner uses most of a large machine, that says nothing of it when it is free again', () => {
  const memory = wentOutWith(4 * gb);
  expect(memory.isTooSmall(video, 24 * gb, noon)).toBe(false);
  expect(memory.isTooSmall(video, 4 * gb, noon)).toBe(true);
});

describe('a run that went well', () => {
  test('with as little clears the evidence, for its size and any smaller', () => {
    const memory = wentOutWith(8 * gb);
    memory.wentOut(atSize(18), 8 * gb, noon);
    memory.wentWell(video, 8 * gb, 0, noon + hour);
    expect(memory.isTooSmall(video, 8 * gb, noon + hour)).toBe(false);
    expect(memory.isTooSmall(atSize(18), 8 * gb, noon + hour)).toBe(false);
  });

  test('in a smaller size leaves the evidence for the larger one', () => {
    const memory = wentOutWith(8 * gb);
    memory.wentWell(atSize(18), 8 * gb, 2 * gb, noon + hour);
    expect(memory.isTooSmall(video, 8 * gb, noon + hour)).toBe(true);
  });

  test('in a larger size speaks for the smaller ones too', () => {
    const memory = wentOutWith(8 * gb);
    memory.wentWell(atSize(22), 8 * gb, 0, noon + hour);
    expect(memory.isTooSmall(video, 8 * gb, noon + hour)).toBe(false);
  });

  test('on a larger machine leaves the evidence, and so does one whose memory is unknown', () => {
    const memory = wentOutWith(8 * gb);
    memory.wentWell(video, 24 * gb, 10 * gb, noon + hour);
    memory.wentWell(video, 0, 10 * gb, noon + hour);
    expect(memory.isTooSmall(video, 8 * gb, noon + hour)).toBe(true);
  });

  test('shows the most that was used', () => {
    const memory = createMemoryEvidence();
    memory.wentWell(video, 24 * gb, 6 * gb, noon);
    memory.wentWell(video, 24 * gb, 9 * gb, noon);
    expect(memory.peak(video)).toBe(9 * gb);
    memory.wentWell(video, 24 * gb, 2 * gb, noon);
    expect(memory.peak(video)).toBeGreaterThan(8 * gb);
    expect(memory.peak(atSize(21))).toBeUndefined();
  });

  test('is no news where nothing was watched and nothing speaks against any machine', () => {
    const memory = createMemoryEvidence();
    memory.wentWell(video, 8 * gb, 0, noon);
    expect(memory.takeChanges().size).toBe(0);
  });
});

test('evidence from a clock that was ahead does not outlast the evidence that follows it', () => {
  const memory = wentOutWith(8 * gb, video, noon + 9_000 * hour);
  memory.wentOut(video, 8 * gb, noon);
  expect(memory.isTooSmall(video, 8 * gb, noon + 25 * hour)).toBe(false);
});

test('what was kept brings back the same verdicts', () => {
  for (const { seed, random } of seededRuns(40)) {
    const memory = createMemoryEvidence();
    const kept = new Map<string, string>();
    const someWork = () => ({
      workflow: random.pick(['video', 'portrait']),
      sizeClass: random.between(18, 22),
    });
    for (let step = 0; step < 60; step += 1) {
      const usable = random.pick([0, 6, 8, 12, 24]) * gb;
      if (random.chance(0.5)) memory.wentOut(someWork(), usable, noon + step * hour);
      else memory.wentWell(someWork(), usable, random.between(0, 20) * gb, noon + step * hour);
      if (random.chance(0.2)) keepRows(kept, memory.takeChanges());
    }
    const later = createMemoryEvidence();
    later.restore(keepRows(kept, memory.takeChanges()));
    for (let check = 0; check < 50; check += 1) {
      const [work, at] = [someWork(), noon + random.between(50, 90) * hour];
      expect(later.needsMoreThan(work, at), `seed ${seed}`).toBe(memory.needsMoreThan(work, at));
      expect(later.peak(work), `seed ${seed}`).toBe(memory.peak(work));
    }
  }
});

test('only what is new is kept', () => {
  const memory = wentOutWith(8 * gb);
  expect([...memory.takeChanges().keys()]).toEqual(['video']);
  expect(memory.takeChanges().size).toBe(0);
});

test.each(['', 'nonsense', '{}', 'null', '[[1,2,3]]', '[["20",8,9,1]]', '[[20,1e999,9,1]]', '[7]', '[]'])(
  'a damaged row is left out: %s',
  (text) => {
    const memory = createMemoryEvidence();
    memory.restore(new Map([['video', text]]));
    expect(memory.needsMoreThan(video, 10)).toBe(0);
    expect(memory.peak(video)).toBeUndefined();
  },
);

test('an endless stream of workflows is forgotten, those that ran least lately first', () => {
  const memory = wentOutWith(8 * gb);
  memory.wentOut(atSize(1), gb, noon);
  for (let index = 0; index < 4_990; index += 1)
    memory.wentOut({ ...video, workflow: `w${index}` }, gb, noon);
  memory.wentWell(video, 24 * gb, 9 * gb, noon);
  for (let index = 0; index < 100; index += 1) memory.wentOut({ ...video, workflow: `x${index}` }, gb, noon);
  expect(memory.isTooSmall(video, 8 * gb, noon)).toBe(true);
  expect(memory.needsMoreThan({ ...video, workflow: 'w0' }, noon)).toBe(0);
  expect(memory.needsMoreThan({ ...video, workflow: 'x99' }, noon)).toBe(gb);
});

test('an endless stream of sizes is forgotten, and the last ones are known', () => {
  const memory = createMemoryEvidence();
  for (let size = 1_000; size > 0; size -= 1) memory.wentOut(atSize(size), size, noon);
  expect(memory.needsMoreThan(atSize(1), noon)).toBe(1);
  expect(memory.needsMoreThan(atSize(1_000), noon)).toBeLessThan(100);
});

test('evidence from a clock that was ahead does not stand for ever', () => {
  const memory = createMemoryEvidence();
  memory.wentOut({ workflow: 'video', sizeClass: 20 }, 8, 4e12);
  expect(memory.isTooSmall({ workflow: 'video', sizeClass: 20 }, 8, 2e12)).toBe(false);
});

test('what comes back is bounded as well', () => {
  const memory = createMemoryEvidence();
  memory.restore(new Map(Array.from({ length: 6_000 }, (_, index) => [`w${index}`, '[[20,8,1,1]]'])));
  expect(memory.peak({ workflow: 'w0', sizeClass: 20 })).toBeUndefined();
});
