import { describe, expect, test } from 'vitest';

import { aClaim, aKind, aSeat, busySeat } from './_claims.ts';
import { createWorld, jobsOf } from './_world.ts';

const impossible = aKind('impossible');
const rare = aKind('rare');
const long = aKind('long');

test('a job for an idle machine does not wait behind a flood that only another machine can run', () => {
  const world = createWorld({
    seats: [aSeat('a'), aSeat('b')],
    costs: { plain: { a: {} }, rare: { b: {} } },
  });
  world.add(...jobsOf('ann', 100));
  world.add(aClaim('rare', { kind: rare }));
  expect(world.decide()).toEqual(['ann1 on a', 'rare on b']);
});

describe('jobs that were given up', () => {
  test('are not counted as what a machine has to do', () => {
    const world = createWorld({
      seats: [busySeat('fast', 1_000), busySeat('slow', 1_000)],
      costs: { plain: { fast: {}, slow: { runMs: 3_000 } }, long: { fast: { runMs: 10_000 } } },
    });
    world.add(...jobsOf('ann', 8, { kind: long }));
    world.forecast('ann8');
    for (let index = 1; index <= 8; index += 1) world.policy.forget(`ann${index}`);
    for (const seat of world.seats) Object.assign(seat, { freeSlots: 1, freeAt: 0 });
    world.add(aClaim('bob', { owner: 'bob' }));
    expect(world.decide()).toEqual(['bob on fast']);
  });
});

test('a job that is raised goes first, also when the plan was made for a forecast', () => {
  const world = createWorld({ seats: [aSeat('a')] });
  world.add(...jobsOf('ann', 5));
  world.forecast('ann5');
  world.policy.reprioritize('ann4', 3);
  expect(world.decide()).toEqual(['ann4 on a']);
});

test("another owner's first job is next but one at the latest, also when the plan was made for a forecast", () => {
  const world = createWorld({ seats: [busySeat('a', 1_000)] });
  world.add(...jobsOf('ann', 5));
  world.forecast('ann5');
  world.add(aClaim('bob', { owner: 'bob', priority: 1 }));
  Object.assign(world.seat('a'), { freeSlots: 1, freeAt: 0 });
  expect(world.decide()).toEqual(['bob on a']);
});

test('a machine that is done before it was expected is used at once', () => {
  const slow = Array.from({ length: 7 }, (_, index) => `slow${index}`);
  const world = createWorld({
    seats: [busySeat('fast', 60_000), ...slow.map((name) => aSeat(name))],
    costs: { plain: { fast: {}, ...Object.fromEntries(slow.map((name) => [name, { runMs: 30_000 }])) } },
  });
  world.add(aClaim('1'));
  expect(world.decide()).toEqual(['1 on slow0']);
  Object.assign(world.seat('fast'), { freeSlots: 1, freeAt: 0 });
  world.add(aClaim('2'));
  expect(world.decide()).toEqual(['2 on fast']);
});

test('of idle machines that are as good the first is taken, however many before it are busy', () => {
  const world = createWorld({
    seats: [busySeat('b1', 9_000), busySeat('b2', 9_000), aSeat('idle1'), aSeat('idle2')],
  });
  world.add(aClaim('1'));
  expect(world.decide()).toEqual(['1 on idle1']);
});

test('patience is no matter of jobs that no idle machine can run', () => {
  const world = createWorld({ seats: [aSeat('a')], costs: { impossible: {} } });
  world.add(aClaim('impossible', { kind: impossible }));
  world.decide();
  expect(world.policy.isPatient).toBe(false);
});

describe('jobs that came before the first decision get their share', () => {
  const seats = () => Array.from({ length: 8 }, (_, index) => aSeat(`seat${index}`));

  function sharesOfAnn(isFleetSeen: boolean): number {
    const world = createWorld({ seats: seats() });
    if (isFleetSeen) world.decide();
    world.add(...jobsOf('ann', 80));
    world.decide();
    world.add(...jobsOf('bob', 80));
    for (let turn = 0; turn < 40; turn += 1) {
      world.advance();
      world.decide();
    }
    return world.started.slice(8, 56).filter(({ id }) => id.startsWith('ann')).length;
  }

  test('though it was not known then how many machines there are', () => {
    expect(sharesOfAnn(true)).toBeGreaterThanOrEqual(20);
  });

  test('though it was not known then what they take', () => {
    expect(sharesOfAnn(false)).toBeGreaterThanOrEqual(20);
  });
});

test('jobs that nobody can run do not let newcomers pass the others for ever', () => {
  const world = createWorld({ seats: [aSeat('a')], costs: { plain: { a: {} }, impossible: {} } });
  world.decide();
  for (let index = 0; index < 500; index += 1) {
    world.add(aClaim(`stuck${index}`, { owner: `stuck${index}`, kind: impossible }));
  }
  world.decide();
  world.add(...jobsOf('ann', 10));
  let turns = 0;
  while (world.policy.get('ann10') !== undefined && turns < 2_000) {
    world.add(aClaim(`new${turns}`, { owner: `new${turns}` }));
    world.decide();
    world.advance();
    turns += 1;
  }
  // Two take turns: twenty would be fair, two hundred is generous.
  expect(turns).toBeLessThan(200);
});

test('after a job that is expected to take for ever, owners and priorities count as before', () => {
  const world = createWorld({
    seats: [aSeat('a')],
    costs: { plain: { a: {} }, long: { a: { runMs: 1e25 } } },
    takes: () => 1_000,
  });
  // So it is counted by what it takes on a seat that was seen.
  world.decide();
  world.forecast('none');
  world.add(aClaim('first'));
  world.runAll();
  world.add(aClaim('absurd', { owner: 'bob', kind: long }));
  world.runAll();
  world.add(...jobsOf('ann', 5), aClaim('urgent', { priority: 1 }), aClaim('cy', { owner: 'cy' }));
  world.runAll();
  const ids = world.started.map(({ id }) => id).slice(2);
  expect(ids[0]).toBe('urgent');
  expect(ids.indexOf('cy')).toBeLessThanOrEqual(3);
});

test('jobs that came while nothing was known of any machine get their share', () => {
  const costs: Record<string, Record<string, object>> = { plain: {} };
  const seats = Array.from({ length: 8 }, (_, index) => aSeat(`seat${index}`, { isReady: false }));
  const world = createWorld({ seats, costs });
  world.add(...jobsOf('ann', 80));
  world.decide();
  for (const seat of seats) {
    costs['plain'] = { ...costs['plain'], [seat.name]: {} };
    seat.isReady = true;
  }
  world.changeEpoch();
  world.decide();
  world.add(...jobsOf('bob', 80));
  for (let turn = 0; turn < 40; turn += 1) {
    world.advance();
    world.decide();
  }
  const anns = world.started.slice(8, 56).filter(({ id }) => id.startsWith('ann')).length;
  expect(anns).toBeGreaterThanOrEqual(20);
});

test('jobs that were given up do not keep an idle machine from what waits for a busy one', () => {
  const world = createWorld({
    seats: [busySeat('a', 5_000), busySeat('b', 1_000)],
    costs: { plain: { a: {}, b: {} }, long: { b: { runMs: 10_000 } } },
  });
  world.add(...jobsOf('ann', 2, { kind: aKind('long') }), aClaim('bob', { owner: 'bob' }));
  expect(world.forecast('bob')).toMatchObject({ seat: 'a', startAt: 5_000 });
  for (const id of ['ann1', 'ann2']) world.policy.forget(id);
  Object.assign(world.seat('b'), { freeSlots: 1, freeAt: 0 });
  // The scheduler asks again every quarter of a second.
  const started = [0, 1, 2, 3].flatMap(() => {
    const now = world.decide();
    world.advance();
    return now;
  });
  expect(started).toEqual(['bob on b']);
});

test('a machine that is done early takes what waits for a busy one', () => {
  const world = createWorld({
    seats: [busySeat('a', 5_000), busySeat('b', 60_000)],
    costs: { plain: { a: {}, b: {} } },
  });
  world.add(aClaim('1'));
  expect(world.forecast('1')).toMatchObject({ seat: 'a' });
  Object.assign(world.seat('b'), { freeSlots: 1, freeAt: 0 });
  const started = [0, 1, 2, 3].flatMap(() => {
    const now = world.decide();
    world.advance();
    return now;
  });
  expect(started).toEqual(['1 on b']);
});
