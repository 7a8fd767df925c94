import { describe, expect, test } from 'vitest';

import { aKind, aRow, aSeat, aWaiting, busySeat, plainKind } from './_claims.ts';
import type { Waiting } from './claim.ts';
import type { CostRow } from './cost-table.ts';
import type { Kind } from './kind.ts';
import { createPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Seat } from './seat.ts';

interface Planned {
  plan: Plan;
  /** Adds so many jobs, and tells for which seats they are planned. */
  addAll(count: number, fields?: Partial<Waiting>): (string | undefined)[];
}

function planOf(seats: readonly Seat[], rows: Map<Kind, CostRow>, now = 0): Planned {
  const plan = createPlan(seats, (kind) => {
    const row = rows.get(kind);
    if (row === undefined) throw new Error(`no costs of ${kind.work.workflow}`);
    return row;
  });
  plan.tick(now, []);
  return {
    plan,
    addAll: (count, fields = {}) =>
      Array.from({ length: count }, (_, index) => {
        const job = aWaiting(`job${index + 1}`, fields);
        plan.add(job);
        return job.planned === undefined ? undefined : seats[job.planned.seat]?.name;
      }),
  };
}

/** Seats that differ by how long a run takes. */
function plainPlan(seats: readonly Seat[], runMs: readonly number[], now = 0): Planned {
  return planOf(seats, new Map([[plainKind, aRow(runMs.map((ms) => ({ runMs: ms })))]]), now);
}

function added(plan: Plan, id: string, fields: Partial<Waiting> = {}): Waiting {
  const job = aWaiting(id, fields);
  plan.add(job);
  return job;
}

test('each job goes where it is done first, counting those before it', () => {
  const { addAll } = plainPlan([aSeat('fast'), aSeat('slow')], [1_000, 3_500]);
  expect(addAll(5)).toEqual(['fast', 'fast', 'fast', 'slow', 'fast']);
});

test('a fast machine that is busy is waited for, as long as it is done first', () => {
  const { addAll } = plainPlan([busySeat('fast', 1_500), aSeat('slow')], [1_000, 3_000]);
  expect(addAll(2)).toEqual(['fast', 'slow']);
});

test('of two that are as good the one that can begin now is taken, then the one named first', () => {
  expect(plainPlan([busySeat('busy', 0), aSeat('idle')], [1_000, 1_000]).addAll(1)).toEqual(['idle']);
  expect(plainPlan([aSeat('first'), aSeat('second')], [1_000, 1_000]).addAll(1)).toEqual(['first']);
});

test('a seat whose end was expected in the past is done now', () => {
  const { plan } = plainPlan([aSeat('a', { freeAt: 5_000 })], [1_000], 20_000);
  expect(added(plan, 'job').planned).toMatchObject({ seat: 0, startAt: 20_000, finishAt: 21_000 });
});

test('jobs of one seat follow each other', () => {
  const { plan } = plainPlan([aSeat('a', { freeAt: 2_000 })], [1_000]);
  const jobs = ['1', '2', '3'].map((id) => added(plan, id));
  expect(jobs.map(({ planned }) => planned?.startAt)).toEqual([2_000, 3_000, 4_000]);
  expect(jobs.map((job) => plan.startOf(job))).toEqual([2_000, 3_000, 4_000]);
  expect(plan.jobsOf(0)).toEqual(jobs);
});

test('when a seat takes longer than it should, its jobs are expected later', () => {
  const seat = busySeat('a', 2_000);
  const { plan } = plainPlan([seat], [1_000]);
  const jobs = ['1', '2'].map((id) => added(plan, id));
  seat.freeAt = 30_000;
  expect(jobs.map((job) => plan.startOf(job))).toEqual([30_000, 31_000]);
});

describe('models', () => {
  const sdxl = aKind('sdxl', { models: ['sdxl'] });
  const costs = new Map([[sdxl, aRow([{ loadMs: 5_000 }, { loadMs: 5_000 }])]]);

  test('a seat that has them in memory is preferred', () => {
    const { addAll } = planOf(
      [aSeat('cold'), aSeat('warm', { warmModels: new Set(['sdxl', 'more']) })],
      costs,
    );
    expect(addAll(3, { kind: sdxl })).toEqual(['warm', 'warm', 'warm']);
  });

  test('loading them is worth it where the wait would be longer', () => {
    const { addAll } = planOf(
      [aSeat('cold'), busySeat('warm', 9_000, { warmModels: new Set(['sdxl']) })],
      costs,
    );
    expect(addAll(1, { kind: sdxl })).toEqual(['cold']);
  });

  test('they are loaded once for all jobs that follow', () => {
    const { plan } = planOf([aSeat('a')], new Map([[sdxl, aRow([{ loadMs: 5_000 }])]]));
    const jobs = ['1', '2'].map((id) => added(plan, id, { kind: sdxl }));
    expect(jobs.map(({ planned }) => planned?.finishAt)).toEqual([6_000, 7_000]);
  });

  test('having some of them is not having them', () => {
    const two = aKind('two', { models: ['sdxl', 'lora'] });
    const { addAll } = planOf(
      [
        aSeat('some', { warmModels: new Set(['sdxl']) }),
        aSeat('all', { warmModels: new Set(['sdxl', 'lora']) }),
      ],
      new Map([[two, aRow([{ loadMs: 5_000 }, { loadMs: 5_000 }])]]),
    );
    expect(addAll(1, { kind: two })).toEqual(['all']);
  });
});

describe('who can run it', () => {
  test('only seats that can, and that are ready', () => {
    const rows = new Map([[plainKind, aRow([undefined, { runMs: 100 }, { runMs: 9_000 }])]]);
    const { addAll } = planOf([aSeat('cannot'), aSeat('away', { isReady: false }), aSeat('can')], rows);
    expect(addAll(3)).toEqual(['can', 'can', 'can']);
  });

  test('a job that no seat can run is in no list, and keeps no other out', () => {
    const nobody = aKind('nobody');
    const rows = new Map([
      [nobody, aRow([undefined])],
      [plainKind, aRow([{}])],
    ]);
    const { plan } = planOf([aSeat('a')], rows);
    expect(plan.add(aWaiting('job', { kind: nobody }))).toBe('nobody');
    expect(plan.jobsOf(0)).toEqual([]);
    expect(plan.add(aWaiting('other'))).toBe('planned');
  });

  test('a seat that lost an attempt of a job gets it only when no other can run it', () => {
    const seats = [aSeat('fast'), aSeat('slow')];
    const runMs = [100, 9_000];
    expect(plainPlan(seats, runMs).addAll(2, { excluded: ['fast'] })).toEqual(['slow', 'slow']);
    expect(plainPlan(seats, runMs).addAll(1, { excluded: ['fast', 'slow'] })).toEqual(['fast']);
    const away = [aSeat('fast'), aSeat('slow', { isReady: false })];
    expect(plainPlan(away, runMs).addAll(1, { excluded: ['fast'] })).toEqual(['fast']);
  });
});

test('what is compared is biased, what is told is not', () => {
  const rows = new Map([[plainKind, aRow([{ runMs: 1_000 }, { runMs: 1_500, bias: 0.5 }])]]);
  const { plan } = planOf([aSeat('a'), aSeat('preferred')], rows);
  expect(added(plan, 'job').planned).toMatchObject({ seat: 1, startAt: 0, finishAt: 1_500 });
});

test('a seat that has enough gets no more, and takes again when it has less', () => {
  const { plan, addAll } = plainPlan([aSeat('a')], [1_000]);
  const [first] = ['1'].map((id) => added(plan, id));
  expect(addAll(200).filter((seat) => seat !== undefined).length).toBeLessThan(100);
  expect(plan.add(aWaiting('late'))).toBe('full');
  if (first !== undefined) plan.drop(first);
  expect(plan.add(aWaiting('late'))).toBe('planned');
});

describe('a job that is given to its seat, or gone', () => {
  test('is in no list any more, and its time is told by the seat from then on', () => {
    const seat = aSeat('a');
    const { plan } = plainPlan([seat], [1_000]);
    const [first, second] = [added(plan, '1'), added(plan, '2')];
    plan.drop(first);
    Object.assign(seat, { freeAt: 1_000, freeSlots: 0 });
    expect(plan.jobsOf(0)).toEqual([second]);
    expect(added(plan, '3').planned?.startAt).toBe(2_000);
  });

  test('is not counted, wherever it was in the list', () => {
    const { plan } = plainPlan([aSeat('a')], [1_000]);
    const [first, gone, last] = ['1', '2', '3'].map((id) => added(plan, id));
    if (first === undefined || gone === undefined || last === undefined) throw new Error('three were added');
    plan.drop(gone);
    expect(plan.startOf(last)).toBe(1_000);
    plan.drop(first);
    plan.drop(last);
    expect(added(plan, '4').planned?.startAt).toBe(0);
  });

  test('can be dropped twice, or without ever having been planned', () => {
    const { plan } = plainPlan([aSeat('a')], [1_000]);
    const [first, second] = [added(plan, '1'), added(plan, '2')];
    plan.drop(first);
    plan.drop(first);
    plan.drop(aWaiting('unheard'));
    expect(plan.jobsOf(0)).toEqual([second]);
    expect(plan.startOf(second)).toBe(0);
  });
});

test('a seat that is done before it was expected is looked at anew', () => {
  const seats = [busySeat('early', 50_000), aSeat('other')];
  const { plan } = plainPlan(seats, [1_000, 4_000]);
  expect(added(plan, '1').planned?.seat).toBe(1);
  Object.assign(seats[0] ?? {}, { freeAt: 0, freeSlots: 1 });
  plan.tick(100, [0]);
  expect(added(plan, '2').planned).toMatchObject({ seat: 0, startAt: 100, finishAt: 1_100 });
});

test('a seat could use what is planned of a kind that it can run, wherever it is planned', () => {
  const other = aKind('other');
  const rows = new Map([
    [plainKind, aRow([{}, { runMs: 90_000 }, undefined])],
    [other, aRow([undefined, undefined, {}])],
  ]);
  const { plan } = planOf([aSeat('fast'), aSeat('slow'), aSeat('odd')], rows);
  expect([0, 1, 2].map((seat) => plan.couldUse(seat))).toEqual([false, false, false]);
  const job = added(plan, '1');
  expect([0, 1, 2].map((seat) => plan.couldUse(seat))).toEqual([true, true, false]);
  plan.drop(job);
  expect([0, 1, 2].map((seat) => plan.couldUse(seat))).toEqual([false, false, false]);
});

test('a seat that was busy for a while with something else is looked at anew', () => {
  const seats = [aSeat('fast'), aSeat('slow'), aSeat('slow too')];
  const row = aRow([{ runMs: 1_000 }, { runMs: 30_000 }, { runMs: 30_000 }]);
  const plan = createPlan(seats, () => row);
  plan.tick(0, [0, 1, 2]);
  plan.add(aWaiting('0', { kind: plainKind }));
  // Its owner uses it, and is done again.
  Object.assign(seats[0] ?? {}, { freeAt: 60_000, freeSlots: 0 });
  plan.add(aWaiting('1', { kind: plainKind }));
  Object.assign(seats[0] ?? {}, { freeAt: 0, freeSlots: 1 });
  plan.tick(1_500, [0, 2]);
  const next = aWaiting('2', { kind: plainKind });
  plan.add(next);
  expect(next.planned?.seat).toBe(0);
});
