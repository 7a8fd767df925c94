import { describe, expect, test } from 'vitest';

import { aClaim, aKind, aSeat, busySeat } from './_claims.ts';
import { createWorld, jobsOf } from './_world.ts';

const portrait = aKind('portrait');
const sdxl = aKind('sdxl', { models: ['sdxl'] });
const flux = aKind('flux', { models: ['flux'] });
const impossible = aKind('impossible');

describe('which machine', () => {
  test('an idle one starts a job at once', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(aClaim('1'));
    expect(world.decide()).toEqual(['1 on a']);
    expect(world.policy.size).toBe(0);
  });

  test('a fast one that is busy, when it is done first all the same; the job that it would do too late goes to the slow one', () => {
    const world = createWorld({
      seats: [busySeat('fast', 1_000), aSeat('slow')],
      costs: { portrait: { fast: { runMs: 1_000 }, slow: { runMs: 4_500 } } },
    });
    const jobs = jobsOf('ann', 4, { kind: portrait });
    world.add(...jobs.slice(0, 3));
    expect(world.decide()).toEqual([]);
    world.add(...jobs.slice(3));
    expect(world.decide()).toEqual(['ann4 on slow']);
  });

  test('the idle one of two that are as good, and of idle ones the first', () => {
    const seats = () => [busySeat('busy', 0), aSeat('second'), aSeat('third')];
    const world = createWorld({ seats: seats() });
    world.add(aClaim('1'));
    expect(world.decide()).toEqual(['1 on second']);
  });

  test('one that has the models in memory, unless the wait for it is longer than loading them', () => {
    const costs = { sdxl: { cold: { loadMs: 5_000 }, warm: { loadMs: 5_000 } } };
    const withWarm = (freeAt: number) => {
      const warm = aSeat('warm', { warmModels: new Set(['sdxl']), freeAt, freeSlots: freeAt > 0 ? 0 : 1 });
      const world = createWorld({ seats: [aSeat('cold'), warm], costs });
      world.add(aClaim('1', { kind: sdxl }));
      return world;
    };
    expect(withWarm(0).decide()).toEqual(['1 on warm']);
    expect(withWarm(4_000).decide()).toEqual([]);
    expect(withWarm(6_000).decide()).toEqual(['1 on cold']);
  });

  test('one of twice the weight, though it takes half as long again', () => {
    const costs = { portrait: { light: { runMs: 1_000 }, heavy: { runMs: 1_500 } } };
    const heavierBy = (weight: number) => {
      const world = createWorld({ seats: [aSeat('light'), aSeat('heavy', { weight })], costs });
      world.add(aClaim('1', { kind: portrait }));
      return world.decide();
    };
    expect(heavierBy(2)).toEqual(['1 on heavy']);
    expect(heavierBy(1)).toEqual(['1 on light']);
  });

  test('one that lost an attempt of it only when no other can run it', () => {
    const costs = { portrait: { fast: { runMs: 10 }, slow: { runMs: 5_000 } } };
    const seats = [aSeat('fast'), aSeat('slow'), aSeat('other')];
    const world = createWorld({ seats, costs });
    world.add(aClaim('1', { kind: portrait, excluded: ['fast'] }));
    expect(world.decide()).toEqual(['1 on slow']);
    world.add(aClaim('2', { kind: portrait, excluded: ['fast', 'slow'] }));
    expect(world.decide()).toEqual(['2 on fast']);
  });

  test('none that is not ready, or has no room', () => {
    const world = createWorld({ seats: [aSeat('away', { isReady: false }), busySeat('full', 9_000)] });
    world.add(aClaim('1'));
    expect(world.decide()).toEqual([]);
    expect(world.policy.positionOf('1')).toBe(0);
  });
});

describe('two jobs are never given to one free place', () => {
  test('one machine gets one of many', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(...jobsOf('ann', 50));
    expect(world.decide()).toEqual(['ann1 on a']);
    expect(world.decide()).toEqual([]);
  });

  test('two places on one machine get two, in their order', () => {
    const world = createWorld({ seats: [aSeat('a', { freeSlots: 2 })] });
    world.add(...jobsOf('ann', 5));
    expect(world.decide()).toEqual(['ann1 on a', 'ann2 on a']);
  });

  test('equal machines share a flood', () => {
    const world = createWorld({ seats: ['a', 'b', 'c', 'd'].map((name) => aSeat(name)) });
    world.add(...jobsOf('ann', 40));
    world.runAll();
    expect(world.now()).toBe(10_000);
  });
});

describe('whose turn', () => {
  test('owners take turns', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(...jobsOf('ann', 6), ...jobsOf('bob', 3));
    world.runAll();
    const ids = world.started.map(({ id }) => id);
    expect(ids.indexOf('bob1')).toBeLessThanOrEqual(2);
    expect(ids.indexOf('bob3')).toBeLessThanOrEqual(6);
  });

  test('who comes during a flood is next but one at the latest', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(...jobsOf('ann', 200));
    for (let turn = 0; turn < 20; turn += 1) {
      world.decide();
      world.advance();
    }
    world.add(aClaim('bob', { owner: 'bob' }));
    const before = world.started.length;
    while (world.policy.get('bob') !== undefined) {
      world.decide();
      world.advance();
    }
    expect(world.started.length - before).toBeLessThanOrEqual(2);
  });

  test('one of higher priority goes first, also when it is raised while it waits', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(...jobsOf('ann', 10), aClaim('urgent', { priority: 1 }));
    expect(world.policy.positionOf('urgent')).toBe(0);
    world.policy.reprioritize('ann9', 2);
    expect(world.decide()).toEqual(['ann9 on a']);
    world.advance();
    expect(world.decide()).toEqual(['urgent on a']);
    expect(world.policy.get('ann9')).toBeUndefined();
  });

  test('a job that lost its attempt is next', () => {
    const world = createWorld({ seats: [aSeat('a'), aSeat('b')] });
    world.add(...jobsOf('ann', 20));
    world.decide();
    world.add(aClaim('ann1', { excluded: ['a'] }));
    expect(world.policy.positionOf('ann1')).toBe(0);
  });

  test('one that was given up is never started', () => {
    const world = createWorld({ seats: [aSeat('a')] });
    world.add(...jobsOf('ann', 6));
    world.decide();
    for (const id of ['ann2', 'ann4', 'ann6', 'unheard']) world.policy.forget(id);
    expect(world.policy.size).toBe(2);
    world.runAll();
    expect(world.started.map(({ id }) => id)).toEqual(['ann1', 'ann3', 'ann5']);
  });
});

describe('a kind that nobody can run', () => {
  test('stays in the line, and ten thousand of it keep nobody behind them waiting', () => {
    const world = createWorld({ seats: [aSeat('a')], costs: { impossible: {} } });
    world.add(...jobsOf('ann', 10_000, { kind: impossible }));
    world.add(aClaim('possible'));
    expect(world.decide()).toEqual(['possible on a']);
    expect(world.policy.size).toBe(10_000);
    expect(world.policy.positionOf('ann1')).toBe(0);
    expect(world.forecast('ann1')).toBeUndefined();
  });

  test('is run once a machine can', () => {
    const costs: Record<string, Record<string, object>> = { impossible: {} };
    const world = createWorld({ seats: [aSeat('a')], costs });
    world.add(aClaim('1', { kind: impossible }));
    expect(world.decide()).toEqual([]);
    costs['impossible'] = { a: {} };
    world.changeEpoch();
    expect(world.decide()).toEqual(['1 on a']);
  });
});

describe('when the fleet changes', () => {
  test('what a job needs is read anew, once', () => {
    const asked: string[] = [];
    let kind = impossible;
    const world = createWorld({
      seats: [aSeat('a')],
      costs: { impossible: {}, portrait: { a: {} } },
      classify({ id }) {
        asked.push(id);
        return kind;
      },
    });
    world.add(aClaim('1', { kind: impossible }));
    for (let turn = 0; turn < 3; turn += 1) expect(world.decide()).toEqual([]);
    expect(asked).toEqual(['1']);
    kind = portrait;
    world.changeEpoch();
    expect(world.decide()).toEqual(['1 on a']);
    expect(asked).toEqual(['1', '1']);
  });

  test('a machine that becomes ready gets what was meant for another', () => {
    const world = createWorld({
      seats: [busySeat('busy', 60_000), aSeat('new', { isReady: false })],
      costs: { portrait: { busy: { runMs: 1_000 }, new: { runMs: 20_000 } } },
    });
    world.add(aClaim('1', { kind: portrait }));
    expect(world.decide()).toEqual([]);
    expect(world.forecast('1')).toMatchObject({ seat: 'busy' });
    world.seat('new').isReady = true;
    world.changeEpoch();
    expect(world.decide()).toEqual(['1 on new']);
  });

  test('another list of machines is another fleet', () => {
    const world = createWorld({ seats: [busySeat('a', 90_000)] });
    world.add(aClaim('1'));
    world.decide();
    const placements = world.policy.decide([aSeat('b')], world.now());
    expect(placements.map(({ id, seat }) => [id, seat])).toEqual([['1', 0]]);
  });
});

describe('patience', () => {
  const costs = { portrait: { fast: { runMs: 1_000 }, slow: { runMs: 9_000 } } };

  test('is told when an idle machine is left alone in favour of a busy one', () => {
    const world = createWorld({ seats: [busySeat('fast', 2_000), aSeat('slow')], costs });
    world.add(aClaim('1', { kind: portrait }));
    expect(world.decide()).toEqual([]);
    expect(world.policy.isPatient).toBe(true);
  });

  test('is over when everything has its place, when everybody is busy, and when nobody waits', () => {
    const world = createWorld({ seats: [aSeat('fast'), busySeat('slow', 5_000)], costs });
    world.decide();
    expect(world.policy.isPatient).toBe(false);
    world.add(aClaim('1', { kind: portrait }), aClaim('2', { kind: portrait }));
    expect(world.decide()).toEqual(['1 on fast']);
    expect(world.policy.isPatient).toBe(false);
    world.decide();
    expect(world.policy.isPatient).toBe(false);
  });

  test('has an end: when the busy machine takes longer than it should, the idle one gets the job', () => {
    const world = createWorld({ seats: [busySeat('fast', 2_000), aSeat('slow')], costs });
    world.add(aClaim('1', { kind: portrait }));
    world.decide();
    world.seat('fast').freeAt = 30_000;
    world.advance();
    expect(world.now()).toBeLessThan(1_000);
    expect(world.decide()).toEqual(['1 on slow']);
    expect(world.policy.isPatient).toBe(false);
  });
});

describe('one machine and jobs of two kinds that alternate', () => {
  const costs = { sdxl: { a: { loadMs: 10_000 } }, flux: { a: { loadMs: 10_000 } } };

  function runAlternating(owners: readonly string[]) {
    const world = createWorld({ seats: [aSeat('a')], costs });
    for (let index = 0; index < 60; index += 1) {
      const owner = owners[index % owners.length] ?? 'ann';
      world.add(aClaim(`${index}`, { owner, kind: index % 2 === 0 ? sdxl : flux }));
    }
    world.runAll();
    return world.started;
  }

  test('need few loads', () => {
    const loads = runAlternating(['ann']).filter(({ isCold }) => isCold).length;
    expect(loads).toBeGreaterThanOrEqual(2);
    expect(loads).toBeLessThanOrEqual(8);
  });

  test('are all run, none of them passed by for longer than twice the time of a load', () => {
    const started = runAlternating(['ann']).map(({ id }) => Number(id));
    expect(started.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    for (const [place, id] of started.entries()) {
      const passedBy = started.slice(0, place).filter((other) => other > id).length;
      expect(passedBy * 1_000, `job ${id}`).toBeLessThanOrEqual(20_000);
    }
  });
});

test("an owner's first job is passed over once at most when it is next", () => {
  const costs = { sdxl: { a: { loadMs: 60_000 } }, flux: { a: { loadMs: 60_000 } } };
  const world = createWorld({ seats: [aSeat('a')], costs });
  world.add(...jobsOf('ann', 30, { kind: flux }));
  world.decide();
  world.add(aClaim('bob', { owner: 'bob', kind: sdxl }));
  world.runAll();
  expect(world.started.findIndex(({ id }) => id === 'bob')).toBeLessThanOrEqual(3);
});
