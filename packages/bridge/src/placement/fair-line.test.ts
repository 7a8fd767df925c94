import { describe, expect, test } from 'vitest';

import { aClaim } from './_claims.ts';
import type { Waiting } from './claim.ts';
import { createFairLine } from './fair-line.ts';
import type { FairLine } from './fair-line.ts';

const second = 1_000;
const fiveMinutes = 300_000;

/** Adds `count` jobs of an owner, called by the owner's name and a number. */
function flood(line: FairLine, owner: string, count: number, nominalMs = second): void {
  const before = [...line].filter((entry) => entry.owner === owner).length;
  for (let index = 1; index <= count; index += 1) {
    line.add(aClaim(`${owner}${before + index}`, { owner }), nominalMs);
  }
}

function takeNext(line: FairLine): Waiting | undefined {
  const [next] = line;
  if (next !== undefined) line.take(next);
  return next;
}

/** Ids in the order in which they are served. */
function serve(line: FairLine, count = Number.POSITIVE_INFINITY): string[] {
  const served: string[] = [];
  while (served.length < count) {
    const next = takeNext(line);
    if (next === undefined) break;
    served.push(next.id);
  }
  return served;
}

describe('owners', () => {
  test('the jobs of one owner are served as they came', () => {
    const line = createFairLine();
    flood(line, 'ann', 50);
    expect(serve(line)).toEqual(Array.from({ length: 50 }, (_, index) => `ann${index + 1}`));
  });

  test('with equal jobs take turns', () => {
    const line = createFairLine();
    flood(line, 'ann', 3);
    flood(line, 'bob', 3);
    flood(line, 'cy', 3);
    expect(serve(line)).toEqual(['ann1', 'bob1', 'cy1', 'ann2', 'bob2', 'cy2', 'ann3', 'bob3', 'cy3']);
  });

  test('share by time and not by number: short jobs are served more often than long ones', () => {
    const line = createFairLine();
    flood(line, 'long', 20, 10 * second);
    flood(line, 'short', 200, second);
    const served = serve(line, 110);
    const long = served.filter((id) => id.startsWith('long')).length;
    expect(long).toBeGreaterThanOrEqual(9);
    expect(long).toBeLessThanOrEqual(11);
  });

  test('who comes while a flood is served is next, or after one more', () => {
    const line = createFairLine();
    flood(line, 'ann', 1_000);
    serve(line, 500);
    line.add(aClaim('bob', { owner: 'bob' }), second);
    expect(line.positionOf('bob')).toBeLessThanOrEqual(1);
  });

  test('who waited for nobody has no credit from it', () => {
    const line = createFairLine();
    flood(line, 'ann', 300);
    serve(line, 200);
    flood(line, 'bob', 300);
    const served = serve(line, 100);
    const bobs = served.filter((id) => id.startsWith('bob')).length;
    expect(bobs).toBeGreaterThanOrEqual(49);
    expect(bobs).toBeLessThanOrEqual(52);
  });

  test('with an empty line nobody owes anybody anything', () => {
    const line = createFairLine();
    flood(line, 'ann', 100);
    for (const id of serve(line)) line.forget(id);
    flood(line, 'ann', 2);
    flood(line, 'bob', 2);
    expect(serve(line)).toEqual(['ann1', 'bob1', 'ann2', 'bob2']);
  });

  test('who had nothing in the line has a first job, and only one', () => {
    const line = createFairLine();
    expect(line.add(aClaim('1'), second).isFirst).toBe(true);
    expect(line.add(aClaim('2'), second).isFirst).toBe(false);
    expect(line.add(aClaim('3', { owner: 'bob' }), second).isFirst).toBe(true);
    serve(line, 1);
    expect(line.add(aClaim('4'), second).isFirst).toBe(false);
  });
});

describe('priorities', () => {
  test('order the jobs of one owner', () => {
    const line = createFairLine();
    for (const priority of [0, -2, 5, 1]) line.add(aClaim(`p${priority}`, { priority }), second);
    expect(serve(line)).toEqual(['p5', 'p1', 'p0', 'p-2']);
  });

  test('are worth five minutes of waiting a step', () => {
    const line = createFairLine();
    // Ten minutes of work wait; one step is half of it, two are all of it.
    flood(line, 'ann', 10, fiveMinutes / 5);
    line.add(aClaim('one step', { priority: 1 }), second);
    expect(line.positionOf('one step')).toBeGreaterThanOrEqual(5);
    expect(line.positionOf('one step')).toBeLessThanOrEqual(6);
    line.add(aClaim('three steps', { priority: 3 }), second);
    expect(line.positionOf('three steps')).toBe(0);
  });

  test('go before the jobs of others too', () => {
    const line = createFairLine();
    flood(line, 'ann', 5);
    line.add(aClaim('bob', { owner: 'bob', priority: 1 }), second);
    expect(serve(line, 1)).toEqual(['bob']);
  });

  test('can be changed while a job waits, and back', () => {
    const line = createFairLine();
    flood(line, 'ann', 5);
    line.reprioritize('ann4', 3);
    expect(line.positionOf('ann4')).toBe(0);
    expect(line.get('ann4')?.priority).toBe(3);
    line.reprioritize('ann4', 0);
    expect(serve(line)).toEqual(['ann1', 'ann2', 'ann3', 'ann4', 'ann5']);
  });

  test('of a job that does not wait cannot be changed', () => {
    const line = createFairLine();
    flood(line, 'ann', 1);
    serve(line);
    expect(line.reprioritize('ann1', 3)).toBeUndefined();
    expect(line.reprioritize('unheard', 3)).toBeUndefined();
    expect(line.size).toBe(0);
  });
});

describe('a job that lost its attempt', () => {
  test('gets its old place back, before those who came later', () => {
    const line = createFairLine();
    flood(line, 'ann', 5);
    flood(line, 'bob', 5);
    serve(line, 4);
    line.add(aClaim('ann1'), second);
    expect(serve(line, 2)).toEqual(['ann1', 'ann3']);
  });

  test('costs its owner nothing more', () => {
    const line = createFairLine();
    flood(line, 'ann', 4);
    flood(line, 'bob', 4);
    serve(line, 2);
    line.add(aClaim('ann1'), second);
    expect(serve(line)).toEqual(['ann1', 'ann2', 'bob2', 'ann3', 'bob3', 'ann4', 'bob4']);
  });

  test('has no old place once it has ended', () => {
    const line = createFairLine();
    flood(line, 'ann', 5);
    serve(line, 1);
    line.forget('ann1');
    line.add(aClaim('ann1'), second);
    expect(line.positionOf('ann1')).toBe(4);
  });
});

describe('a job that is given up', () => {
  test('is gone at once, and nothing else moves', () => {
    const line = createFairLine();
    flood(line, 'ann', 4);
    const entry = line.get('ann2');
    line.forget('ann2');
    expect(entry?.isGone).toBe(true);
    expect(line.get('ann2')).toBeUndefined();
    expect(line.positionOf('ann2')).toBeUndefined();
    expect(serve(line)).toEqual(['ann1', 'ann3', 'ann4']);
  });

  test('is not held against what its owner sends next', () => {
    const line = createFairLine();
    flood(line, 'bob', 10);
    flood(line, 'ann', 100);
    for (let index = 1; index <= 100; index += 1) line.forget(`ann${index}`);
    line.add(aClaim('again'), second);
    expect(line.positionOf('again')).toBeLessThanOrEqual(1);
  });

  test('may be unknown, or running, or given up already', () => {
    const line = createFairLine();
    flood(line, 'ann', 3);
    serve(line, 1);
    for (const id of ['unheard', 'ann1', 'ann2', 'ann2']) line.forget(id);
    expect(serve(line)).toEqual(['ann3']);
  });
});

test('an empty line has no next one and no places', () => {
  const line = createFairLine();
  expect([...line]).toEqual([]);
  expect(line.size).toBe(0);
  expect(line.positionOf('ann1')).toBeUndefined();
});

test('a job that is added twice waits once', () => {
  const line = createFairLine();
  flood(line, 'ann', 2);
  line.add(aClaim('ann1'), second);
  expect(line.size).toBe(2);
  expect(serve(line).toSorted()).toEqual(['ann1', 'ann2']);
});

test('taking what is gone already changes nothing', () => {
  const line = createFairLine();
  flood(line, 'ann', 2);
  const entry = line.get('ann1');
  if (entry === undefined) throw new Error('it should wait');
  line.take(entry);
  line.take(entry);
  expect(line.size).toBe(1);
  expect(serve(line)).toEqual(['ann2']);
});
