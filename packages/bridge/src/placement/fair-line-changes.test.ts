import { describe, expect, test } from 'vitest';

import { aClaim } from './_claims.ts';
import { createFairLine } from './fair-line.ts';
import type { FairLine } from './fair-line.ts';

const second = 1_000;

function flood(line: FairLine, owner: string, count: number, nominalMs = second): void {
  for (let index = 1; index <= count; index += 1) line.add(aClaim(`${owner}${index}`, { owner }), nominalMs);
}

function takeNext(line: FairLine): string {
  const [next] = line;
  if (next === undefined) return '';
  line.take(next);
  return next.id;
}

const serve = (line: FairLine, count: number) => Array.from({ length: count }, () => takeNext(line));

describe('when the fleet grows or shrinks', () => {
  test('those who came before it grew share evenly with those who come after', () => {
    const line = createFairLine();
    flood(line, 'ann', 200);
    line.setWidth(8);
    serve(line, 8);
    flood(line, 'bob', 200);
    const bobs = serve(line, 40).filter((id) => id.startsWith('bob')).length;
    expect(bobs).toBeGreaterThanOrEqual(18);
    expect(bobs).toBeLessThanOrEqual(22);
  });

  test('a flood from before it shrank keeps a first job waiting for one job at most', () => {
    const line = createFairLine();
    line.setWidth(8);
    flood(line, 'ann', 200);
    line.setWidth(1);
    serve(line, 20);
    line.add(aClaim('bob', { owner: 'bob' }), second);
    expect(line.positionOf('bob')).toBeLessThanOrEqual(1);
  });
});

describe('a job that is given up', () => {
  test('does not let a newer job of its owner pass the older ones', () => {
    const line = createFairLine();
    line.add(aClaim('long'), 100 * second);
    line.add(aClaim('older'), second);
    line.add(aClaim('old'), second);
    line.forget('long');
    line.add(aClaim('new'), second);
    expect(serve(line, 3)).toEqual(['older', 'old', 'new']);
  });

  test('is not held against those of its owner that came after it', () => {
    const line = createFairLine();
    flood(line, 'ann', 100);
    for (let index = 1; index < 100; index += 1) line.forget(`ann${index}`);
    flood(line, 'bob', 100);
    expect(line.positionOf('ann100')).toBeLessThanOrEqual(2);
  });
});

test('a priority that was changed while a job ran counts when it has to wait again', () => {
  const line = createFairLine();
  flood(line, 'ann', 5);
  serve(line, 1);
  line.add(aClaim('ann1', { priority: -1 }), second);
  expect(line.positionOf('ann1')).toBe(4);
});

test('a job that is added twice costs its owner once', () => {
  const line = createFairLine();
  flood(line, 'bob', 3, second);
  line.add(aClaim('ann1'), 10 * second);
  line.add(aClaim('ann1'), 10 * second);
  line.add(aClaim('ann2'), second);
  // After ann1 (10 s) ann is due again at 10 s, not at 20 s.
  expect(line.get('ann2')?.order).toBeLessThanOrEqual(10 * second);
});

describe('priorities that change', () => {
  test('and change back do not give an owner more than its share once it gives a job up', () => {
    const line = createFairLine();
    flood(line, 'ann', 6);
    flood(line, 'bob', 6);
    line.reprioritize('ann1', 1);
    line.reprioritize('ann1', 0);
    line.forget('ann3');
    expect(serve(line, 6)).toEqual(['ann1', 'bob1', 'ann2', 'bob2', 'ann4', 'bob3']);
  });

  test('of the only job in the line do not make its owner new', () => {
    const line = createFairLine();
    flood(line, 'ann', 1);
    line.reprioritize('ann1', 0);
    line.add(aClaim('ann2'), 1_000);
    line.add(aClaim('bob1', { owner: 'bob' }), 1_000);
    expect(serve(line, 3)).toEqual(['ann1', 'bob1', 'ann2']);
  });
});

test('a job that lost its attempt is not paid for twice when its owner gives another one up', () => {
  const line = createFairLine();
  flood(line, 'ann', 4);
  flood(line, 'bob', 6);
  serve(line, 1);
  line.add(aClaim('ann1'), 1_000);
  line.forget('ann3');
  line.add(aClaim('ann5'), 1_000);
  expect(serve(line, 8)).toEqual(['ann1', 'bob1', 'ann2', 'bob2', 'ann4', 'bob3', 'bob4', 'ann5']);
});
