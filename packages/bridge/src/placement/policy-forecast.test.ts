import { expect, test } from 'vitest';

import { aClaim, aKind, aSeat, busySeat } from './_claims.ts';
import { createWorld, jobsOf } from './_world.ts';
import { createPlacementPolicy } from './placement-policy.ts';
import type { SeatCost } from './seat.ts';

const portrait = aKind('portrait');
const impossible = aKind('impossible');
const long = aKind('long');
const sdxl = aKind('sdxl', { models: ['sdxl'] });

test('nothing is expected of a job that does not wait, or that nobody can run', () => {
  const world = createWorld({ seats: [aSeat('a')], costs: { portrait: {} } });
  world.add(aClaim('1', { kind: portrait }));
  expect(world.forecast('unheard')).toBeUndefined();
  expect(world.forecast('1')).toBeUndefined();
});

test('nothing is expected while no machine is ready', () => {
  const world = createWorld({ seats: [aSeat('a', { isReady: false })] });
  world.add(aClaim('1'));
  expect(world.forecast('1')).toBeUndefined();
});

test('a job is expected to start when those before it are done, and to take what it takes, loading included', () => {
  const world = createWorld({
    seats: [busySeat('a', 5_000)],
    costs: { plain: { a: {} }, sdxl: { a: { runMs: 2_000, loadMs: 8_000 } } },
  });
  world.add(aClaim('1'), aClaim('2', { kind: sdxl }), aClaim('3', { kind: sdxl }));
  expect(world.forecast('1')).toEqual({ seat: 'a', startAt: 5_000, finishAt: 6_000 });
  expect(world.forecast('2')).toEqual({ seat: 'a', startAt: 6_000, finishAt: 16_000 });
  expect(world.forecast('3')).toEqual({ seat: 'a', startAt: 16_000, finishAt: 18_000 });
});

test('with all machines busy for longer than was thought, nothing starts in the past', () => {
  const world = createWorld({ seats: [busySeat('a', 1_000)] });
  world.add(aClaim('1'));
  expect(world.policy.forecast('1', world.seats, 700_000)).toEqual({
    seat: 'a',
    startAt: 700_000,
    finishAt: 701_000,
  });
});

test('what is expected of a flood comes true on one machine', () => {
  const world = createWorld({ seats: [aSeat('a')] });
  const jobs = jobsOf('ann', 12);
  world.add(...jobs);
  const expected = jobs.map(({ id }) => world.forecast(id)?.startAt);
  world.runAll();
  expect(world.started.map(({ at }) => at)).toEqual(expected);
});

test('beyond what is planned a job is still expected, after those before it, on no machine in particular', () => {
  const world = createWorld({ seats: [aSeat('a'), aSeat('b')] });
  const jobs = jobsOf('ann', 400);
  world.add(...jobs);
  const forecasts = jobs.map(({ id }) => world.forecast(id));
  const starts = forecasts.map((forecast) => forecast?.startAt ?? Number.NaN);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  expect(forecasts[0]?.seat).toBe('a');
  expect(forecasts.at(-1)?.seat).toBeNull();
  expect(starts.at(-1)).toBeGreaterThan(190_000);
  expect(starts.at(-1)).toBeLessThan(210_000);
  for (const forecast of forecasts) {
    expect((forecast?.finishAt ?? 0) - (forecast?.startAt ?? 0)).toBeCloseTo(1_000);
  }
});

test('asking changes nothing of what is decided', () => {
  const run = (asks: boolean) => {
    const world = createWorld({ seats: [aSeat('a'), aSeat('b')], takes: (ms) => ms * 1.5 });
    const jobs = [...jobsOf('ann', 20), ...jobsOf('bob', 10)];
    world.add(...jobs);
    do {
      world.decide();
      if (asks) for (const { id } of jobs) world.forecast(id);
    } while (world.advance());
    return world.started.map(({ id }) => id);
  };
  expect(run(true).toSorted()).toEqual(run(false).toSorted());
  expect(run(true)).toEqual(run(false));
});

test('something is expected of every job of a flood at any time', () => {
  const world = createWorld({ seats: [aSeat('a')] });
  const jobs = jobsOf('ann', 40);
  world.add(...jobs);
  do {
    world.decide();
    for (const { id } of jobs) {
      if (world.policy.get(id) !== undefined)
        expect(world.forecast(id), `${id} at ${world.now()}`).toBeDefined();
    }
  } while (world.advance());
});

test('nothing is expected of a job that nobody can run, wherever it is in the line', () => {
  const world = createWorld({ seats: [aSeat('a')], costs: { impossible: {} } });
  world.add(...jobsOf('ann', 20), aClaim('impossible', { kind: impossible }));
  expect(world.forecast('impossible')).toBeUndefined();
});

test('a short job at the end of a long line is not expected before those before it', () => {
  const world = createWorld({
    seats: [aSeat('a')],
    costs: { plain: { a: {} }, long: { a: { runMs: 60_000 } } },
  });
  world.add(...jobsOf('ann', 40, { kind: long }), aClaim('short'));
  const before = world.forecast('ann16')?.startAt ?? Number.NaN;
  expect(world.forecast('short')?.startAt).toBeGreaterThan(before);
});

test('what is expected follows a machine that takes longer than it should', () => {
  const world = createWorld({ seats: [busySeat('a', 1_000)] });
  world.add(aClaim('1'), aClaim('2'));
  world.policy.forecast('1', world.seats, 0);
  world.seat('a').freeAt = 119_000;
  expect(world.policy.forecast('1', world.seats, 60_000)).toEqual({
    seat: 'a',
    startAt: 119_000,
    finishAt: 120_000,
  });
  expect(world.policy.forecast('2', world.seats, 60_000)).toEqual({
    seat: 'a',
    startAt: 120_000,
    finishAt: 121_000,
  });
});

test('nothing is expected of jobs that nobody can run any more', () => {
  const costs: Record<string, Record<string, object>> = { plain: { a: {} } };
  const world = createWorld({ seats: [busySeat('a', 5_000)], costs });
  world.add(...jobsOf('ann', 3));
  for (const { id } of jobsOf('ann', 3)) expect(world.forecast(id)).toBeDefined();
  costs['plain'] = {};
  world.changeEpoch();
  for (const { id } of jobsOf('ann', 3)) expect(world.forecast(id), id).toBeUndefined();
});

test('a machine that turns out unable between two looks at the fleet hangs nothing', () => {
  let [reads, version] = [0, 0];
  let cost: SeatCost | undefined = { runMs: 1_000, loadMs: 0, isProven: true };
  const policy = createPlacementPolicy({
    judge: () => cost,
    classify: ({ kind }) => kind,
    epoch: () => 1,
    costsVersion: () => version,
  });
  const seat = {
    ...busySeat('a', 0),
    get freeAt() {
      if ((reads += 1) > 10_000) throw new Error('looks for ever');
      return 5_000;
    },
  };
  const seats = [seat];
  policy.add(aClaim('1'));
  expect(policy.forecast('1', seats, 0)).toBeDefined();
  // Its owner takes most of its memory, and a run elsewhere was learned from: nobody says that the fleet has changed.
  cost = undefined;
  version += 1;
  for (const id of ['2', '3', '4']) {
    policy.add(aClaim(id));
    const forecast = policy.forecast(id, seats, 0);
    expect(forecast === undefined || Number.isFinite(forecast.finishAt)).toBe(true);
  }
});
