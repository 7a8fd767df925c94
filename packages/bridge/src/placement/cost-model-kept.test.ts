import { describe, expect, test } from 'vitest';

import { aWork, keepRows, recordRuns } from './_learned.ts';
import { seededRuns } from './_random.ts';
import type { Random } from './_random.ts';
import { createCostModel } from './cost-model.ts';
import type { CostModel } from './cost-model.ts';

const backends = ['a', 'b', 'c'];
const works = ['portrait', 'video', 'upscale'].flatMap((workflow) =>
  [18, 20, 20.5].map((sizeClass) =>
    aWork(workflow, { sizeClass, models: workflow === 'upscale' ? [] : [`${workflow}.sft`, 'vae.pt'] }),
  ),
);

function recordRandomly(costs: CostModel, random: Random, runs: number): void {
  for (let run = 0; run < runs; run += 1) {
    recordRuns(costs, {
      work: random.pick(works),
      backend: random.pick(backends),
      ms: random.between(0, random.pick([100, 5_000, 600_000])),
      isCold: random.chance(0.3),
    });
  }
}

function restored(rows: ReadonlyMap<string, string>): CostModel {
  const costs = createCostModel();
  costs.restore(rows);
  return costs;
}

function expectSame(one: CostModel, other: CostModel, note: string): void {
  for (const work of [...works, aWork('unheard', { models: ['new.sft'] })]) {
    for (const backend of [...backends, 'new']) {
      const [wanted, got] = [one.run(work, backend), other.run(work, backend)];
      expect(got.basis, note).toBe(wanted.basis);
      expect(got.ms / wanted.ms, note).toBeCloseTo(1, 2);
      expect(got.spread, note).toBeCloseTo(wanted.spread, 2);
      expect(other.loadMs(work, backend) / (one.loadMs(work, backend) || 1), note).toBeCloseTo(
        work.models.length === 0 ? 0 : 1,
        2,
      );
    }
  }
}

test('what was kept brings back the same expectations', () => {
  for (const { seed, random } of seededRuns(40)) {
    const costs = createCostModel();
    recordRandomly(costs, random, random.between(1, 200));
    expectSame(costs, restored(costs.takeChanges()), `seed ${seed}`);
  }
});

test('so it does when it is kept bit by bit, with machines that go in between, and comes back in any order', () => {
  for (const { seed, random } of seededRuns(40)) {
    const costs = createCostModel();
    const kept = new Map<string, string>();
    for (let flush = 0; flush < 6; flush += 1) {
      recordRandomly(costs, random, random.between(0, 60));
      if (random.chance(0.3)) costs.forgetBackend(random.pick(backends));
      keepRows(kept, costs.takeChanges());
    }
    const rows = new Map(random.shuffle([...kept]));
    expectSame(costs, restored(rows), `seed ${seed}`);
  }
});

test('only what is new is kept, and what was brought back is not new', () => {
  const costs = createCostModel();
  recordRuns(costs, { work: aWork('portrait'), backend: 'a', ms: 1_000 });
  const rows = costs.takeChanges();
  expect(rows.size).toBeGreaterThan(0);
  expect(costs.takeChanges().size).toBe(0);
  expect(restored(rows).takeChanges().size).toBe(0);
});

test('what is learned after coming back goes on from there', () => {
  const costs = createCostModel();
  const work = aWork('portrait');
  recordRuns(costs, { work, backend: 'a', ms: 1_000, times: 20 });
  const later = restored(costs.takeChanges());
  recordRuns(later, { work, backend: 'a', ms: 60_000 });
  expect(later.run(work, 'a').ms).toBeLessThan(2_000);
});

test('bringing back makes a new version', () => {
  const costs = createCostModel();
  const before = costs.version;
  costs.restore(new Map());
  expect(costs.version).toBeGreaterThan(before);
});

test('rows that are damaged, or not ours, are left out, and the others are not', () => {
  const source = createCostModel();
  recordRuns(source, { work: aWork('portrait'), backend: 'a', ms: 1_000, times: 3 });
  const costs = restored(source.takeChanges());
  const good = '[3,9,0.1]';
  const damaged: [unknown, string][] = [
    [['warm', 'portrait'], good],
    [['warm', 'portrait', '20'], good],
    [['pair', 'portrait', 20], good],
    [['pair', 'portrait', 20, 7], good],
    [['speed', 7], good],
    [['load', null], good],
    [['unheard', 'portrait', 20], good],
    [[], good],
    [{}, good],
    [['overall'], '[]'],
    [['speed', 'a'], 'null'],
    [['warm', 'portrait', 20], '["a","b","c"]'],
  ];
  costs.restore(new Map(damaged.map(([key, text]) => [JSON.stringify(key), text])));
  costs.restore(new Map([['not json', good]]));
  for (const backend of ['a', 'b', '7']) {
    const wanted = source.run(aWork('portrait'), backend);
    expect(costs.run(aWork('portrait'), backend).basis).toBe(wanted.basis);
    expect(costs.run(aWork('portrait'), backend).ms / wanted.ms).toBeCloseTo(1, 2);
  }
});

describe('a machine that is forgotten', () => {
  const work = aWork('portrait', { models: ['a.sft'] });

  function withSlowMachine(): CostModel {
    const costs = createCostModel();
    recordRuns(costs, { work, backend: 'a', ms: 1_000, times: 5 });
    recordRuns(costs, { work, backend: 'slow', ms: 9_000, times: 5 });
    recordRuns(costs, { work, backend: 'slow', ms: 19_000, times: 5, isCold: true });
    return costs;
  }

  test('is new when it comes back', () => {
    const costs = withSlowMachine();
    costs.forgetBackend('slow');
    expect(costs.run(work, 'slow')).toEqual(costs.run(work, 'never seen'));
    expect(costs.loadMs(work, 'slow')).toBe(costs.loadMs(work, 'never seen'));
    expect(costs.run(work, 'a').basis).toBe('here');
  });

  test('leaves no row behind that tells of it', () => {
    const costs = withSlowMachine();
    const kept = keepRows(new Map(), costs.takeChanges());
    expect([...kept.keys()].some((key) => key.includes('"slow"'))).toBe(true);
    costs.forgetBackend('slow');
    keepRows(kept, costs.takeChanges());
    expect([...kept.keys()].filter((key) => key.includes('"slow"'))).toEqual([]);
    expect(restored(kept).run(work, 'slow').basis).toBe('elsewhere');
  });
});

describe('an endless stream', () => {
  test('of workflows is forgotten, those known longest first', () => {
    const costs = createCostModel();
    for (let index = 0; index < 6_000; index += 1) {
      recordRuns(costs, { work: aWork(`w${index}`), backend: 'a', ms: 1_000 });
    }
    expect(costs.run(aWork('w0'), 'a').basis).toBe('guess');
    expect(costs.run(aWork('w5999'), 'a').basis).toBe('here');
  });

  test('of models is forgotten', () => {
    const costs = createCostModel();
    const work = (index: number) => aWork('sdxl', { models: [`lora${index}.sft`] });
    recordRuns(costs, { work: work(0), backend: 'a', ms: 1_000 });
    recordRuns(costs, { work: work(0), backend: 'a', ms: 91_000, isCold: true });
    expect(costs.loadMs(work(0), 'a')).toBeGreaterThan(80_000);
    for (let index = 1; index < 6_000; index += 1) {
      recordRuns(costs, { work: work(index), backend: 'a', ms: 2_000, isCold: true });
    }
    expect(costs.loadMs(work(0), 'a')).toBeLessThan(10_000);
  });
});

test('a row of an endless size is left out', () => {
  const costs = createCostModel();
  costs.restore(new Map([['["warm","portrait",1e999]', '[3,8,0.1]']]));
  const { ms } = costs.run(aWork('portrait'), 'a');
  expect(Number.isFinite(ms) && ms > 0).toBe(true);
});
