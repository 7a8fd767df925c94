import { expect, test } from 'vitest';

import { createRetryBudget } from './retry-budget.ts';

function spendAll(budget: { spend(): boolean }): number {
  let spent = 0;
  while (budget.spend()) spent += 1;
  return spent;
}

test('a quiet system may retry as often as the reserve allows', () => {
  expect(spendAll(createRetryBudget({ reserve: 5 }))).toBe(5);
});

test('every new job earns its fraction of a retry', () => {
  const budget = createRetryBudget({ reserve: 0.5, perJob: 0.5 });
  expect(budget.spend()).toBe(false);
  budget.earn();
  expect(spendAll(budget)).toBe(1);
  budget.earn();
  expect(budget.spend()).toBe(false);
  budget.earn();
  expect(budget.spend()).toBe(true);
});

test('what a long good time earned is bounded, so that a bad one cannot become a storm', () => {
  const budget = createRetryBudget({ reserve: 10 });
  for (let job = 0; job < 10_000; job += 1) budget.earn();
  expect(spendAll(budget)).toBe(40);
});
