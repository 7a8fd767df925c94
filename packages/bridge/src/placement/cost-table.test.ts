import { expect, test } from 'vitest';

import { aKind, aSeat } from './_claims.ts';
import { createCostTable } from './cost-table.ts';
import type { CostTable } from './cost-table.ts';
import type { SeatCost } from './seat.ts';

const portrait = aKind('portrait');
const video = aKind('video');

interface Setup {
  table: CostTable;
  asked: string[];
  /** By seat; what is not named cannot run. */
  costs: Record<string, SeatCost>;
  versions: { epoch: number; costs: number };
}

function setUp(...names: string[]): Setup {
  const costs: Setup['costs'] = {};
  for (const name of names) costs[name] = { runMs: 1_000, loadMs: 500, isProven: true };
  const asked: string[] = [];
  const versions = { epoch: 1, costs: 0 };
  const table = createCostTable(
    ({ work }, { name }) => {
      asked.push(`${work.workflow} on ${name}`);
      return costs[name];
    },
    { epoch: () => versions.epoch, costs: () => versions.costs },
  );
  return { table, asked, costs, versions };
}

test('a row tells what a kind costs on each seat, and who cannot run it', () => {
  const { table } = setUp('a', 'c');
  const row = table.row(portrait, [aSeat('a'), aSeat('b'), aSeat('c')]);
  expect(row.able).toEqual([0, 2]);
  expect([...row.runMs]).toEqual([1_000, Number.NaN, 1_000]);
  expect(row.loadMs[2]).toBe(500);
});

test('a seat of twice the weight counts as twice as fast, and one that never ran it as a little faster', () => {
  const { table, costs } = setUp('plain', 'heavy', 'untried');
  costs['untried'] = { runMs: 1_000, loadMs: 0, isProven: false };
  const { bias } = table.row(portrait, [aSeat('plain'), aSeat('heavy', { weight: 2 }), aSeat('untried')]);
  expect(bias[0]).toBe(1);
  expect(bias[1]).toBe(0.5);
  expect(bias[2]).toBeLessThan(1);
  expect(bias[2]).toBeGreaterThan(0.8);
});

test('each pair is judged once, while nothing changes', () => {
  const { table, asked } = setUp('a', 'b');
  const seats = [aSeat('a'), aSeat('b')];
  for (let round = 0; round < 3; round += 1) for (const kind of [portrait, video]) table.row(kind, seats);
  expect(asked).toEqual(['portrait on a', 'portrait on b', 'video on a', 'video on b']);
});

test('all are judged anew when who can run what has changed, or who is there', () => {
  const { table, costs, versions } = setUp('a');
  const seats = [aSeat('a'), aSeat('b')];
  expect(table.row(portrait, seats).able).toEqual([0]);
  costs['b'] = { runMs: 1, loadMs: 0, isProven: true };
  expect(table.row(portrait, seats).able).toEqual([0]);
  versions.epoch += 1;
  expect(table.row(portrait, seats).able).toEqual([0, 1]);
  expect(table.row(portrait, [...seats, aSeat('c')]).runMs).toHaveLength(3);
});

test('what was learned is asked for again, after as many runs as there are seats at the latest', () => {
  const { table, costs, versions } = setUp('a', 'b', 'c', 'd');
  const seats = ['a', 'b', 'c', 'd'].map((name) => aSeat(name));
  table.row(portrait, seats);
  costs['a'] = { runMs: 7_000, loadMs: 0, isProven: true };
  versions.costs += 4;
  expect(table.row(portrait, seats).runMs[0]).toBe(7_000);
  costs['a'] = { runMs: 8_000, loadMs: 0, isProven: true };
  versions.costs += 4;
  expect(table.row(portrait, seats).runMs[0]).toBe(8_000);
});

test('a large fleet is not asked for again after every run', () => {
  const names = Array.from({ length: 500 }, (_, index) => `seat${index}`);
  const { table, asked, versions } = setUp(...names);
  const seats = names.map((name) => aSeat(name));
  versions.costs = 10_000;
  for (let run = 0; run < 500; run += 1) {
    table.row(portrait, seats);
    versions.costs += 1;
  }
  expect(asked.length).toBeLessThanOrEqual(1_000);
});

test('a pair that was just learned about is put right at once, and nothing else is asked', () => {
  const { table, asked, costs } = setUp('a', 'b');
  const seats = [aSeat('a'), aSeat('b')];
  table.row(portrait, seats);
  asked.length = 0;
  costs['b'] = { runMs: 9_000, loadMs: 100, isProven: true };
  table.renew(portrait, seats, 1);
  expect(table.row(portrait, seats).runMs[1]).toBe(9_000);
  expect(asked).toEqual(['portrait on b']);
});

test('there is nothing to put right for a kind that was never asked for, or a seat that is not there', () => {
  const { table, asked } = setUp('a');
  table.renew(video, [aSeat('a')], 0);
  table.row(portrait, [aSeat('a')]);
  asked.length = 0;
  table.renew(portrait, [aSeat('a')], -1);
  table.renew(portrait, [aSeat('a'), aSeat('new')], 1);
  expect(asked).toEqual([]);
});

test('an endless stream of kinds is forgotten from time to time', () => {
  const { table, asked } = setUp('a');
  const seats = [aSeat('a')];
  table.row(portrait, seats);
  for (let index = 0; index < 2_500; index += 1) table.row(aKind(`w${index}`), seats);
  asked.length = 0;
  expect(table.row(portrait, seats).able).toEqual([0]);
  expect(asked).toEqual(['portrait on a']);
});
