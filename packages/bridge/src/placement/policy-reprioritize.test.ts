import { describe, expect, test } from 'vitest';

import { aClaim, aSeat } from './_claims.ts';
import { seededRuns } from './_random.ts';
import { createWorld, jobsOf } from './_world.ts';
import { createFairLine } from './fair-line.ts';

test('B50 a job that is put back before it was ever planned is started once', () => {
  const world = createWorld({ seats: Array.from({ length: 8 }, (_, index) => aSeat(`seat${index}`)) });
  world.add(aClaim('0'));
  world.decide();
  world.add(aClaim('1'));
  world.policy.reprioritize('1', -1);
  world.policy.reprioritize('1', -2);
  world.decide();
  world.runAll();
  expect(world.started.map(({ id }) => id)).toEqual(['0', '1']);
});

test('B50 a waiting job that is put back twice is started once', () => {
  const world = createWorld({ seats: [aSeat('a')] });
  world.add(...jobsOf('ann', 5));
  world.forecast('ann5');
  world.policy.reprioritize('ann5', -1);
  world.policy.reprioritize('ann5', -2);
  world.runAll();
  expect(world.started.map(({ id }) => id)).toEqual(['ann1', 'ann2', 'ann3', 'ann4', 'ann5']);
});

test('B50 whatever is raised and put back, every job is started once', () => {
  for (const { seed, random } of seededRuns(200)) {
    const count = random.between(1, 30);
    const world = createWorld({
      seats: Array.from({ length: random.between(1, 20) }, (_, index) => aSeat(`seat${index}`)),
    });
    for (let job = 0; job < count; job += 1) {
      world.add(aClaim(`${job}`, { owner: random.pick(['ann', 'bob']) }));
      while (random.chance(0.5))
        world.policy.reprioritize(`${random.between(0, job)}`, random.between(-2, 2));
      if (random.chance(0.3)) world.forecast(`${job}`);
      if (random.chance(0.3)) world.decide();
      if (random.chance(0.3)) world.advance();
    }
    world.runAll();
    const ids = world.started.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
    expect(ids, `seed ${seed}`).toEqual(Array.from({ length: count }, (_, index) => index));
  }
});

describe('B51 when the fleet grows', () => {
  test('an urgent job of an owner is not passed by its next one', () => {
    const line = createFairLine();
    line.add(aClaim('early', { priority: 1 }), 1_000);
    line.setWidth(8);
    line.add(aClaim('late', { priority: 1 }), 1_000);
    expect([...line].map(({ id }) => id)).toEqual(['early', 'late']);
  });

  test('a job that was raised and is put back is where it was', () => {
    const line = createFairLine();
    for (const claim of jobsOf('ann', 20)) line.add(claim, 60_000);
    line.reprioritize('ann15', 1);
    line.setWidth(8);
    line.reprioritize('ann15', 0);
    expect(line.positionOf('ann15')).toBe(14);
  });
});
