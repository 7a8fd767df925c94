import { expect, test } from 'vitest';

import { createDuplicateCredit } from './duplicate-credit.ts';
import { createSteadyWorkflows } from './steady-workflows.ts';

/** How many of so many jobs are run again, when each costs so many runs. */
function count(share: number, { jobs, cost }: { jobs: number; cost: number }): number {
  const credit = createDuplicateCredit(share, Math.random);
  let runs = 0;
  for (let job = 0; job < jobs; job += 1) {
    if (!credit.earn()) continue;
    for (let run = 0; run < cost; run += 1, runs += 1) credit.spend();
  }
  return runs;
}

test.each([0.01, 0.1, 0.5, 1])('never more than a share of %d, also where a third run decides', (share) => {
  const jobs = 5_000;
  const once = count(share, { jobs, cost: 1 });
  expect(once).toBeLessThanOrEqual(share * jobs);
  expect(once).toBeGreaterThan(share * jobs * 0.8);
  // The last one may have been paid for in advance.
  expect(count(share, { jobs, cost: 2 })).toBeLessThanOrEqual(share * jobs + 1);
});

test('a quiet time saves up no burst', () => {
  const credit = createDuplicateCredit(0.5, () => 0.99);
  const chosen = createDuplicateCredit(0.5, () => 0);
  for (let job = 0; job < 1_000; job += 1) credit.earn();
  let spent = 0;
  for (let job = 0; job < 6; job += 1) {
    if (!chosen.earn()) continue;
    chosen.spend();
    spent += 1;
  }
  expect(spent).toBe(3);
});

test('a workflow that differed three times without a culprit is left alone for a day', () => {
  let at = 0;
  const steady = createSteadyWorkflows({ now: () => at });
  for (let time = 0; time < 3; time += 1) {
    expect(steady.isSteady('random')).toBe(true);
    steady.differed('random');
  }
  expect(steady.isSteady('random')).toBe(false);
  expect(steady.isSteady('other')).toBe(true);
  at = 86_400_000;
  expect(steady.isSteady('random')).toBe(true);
});
