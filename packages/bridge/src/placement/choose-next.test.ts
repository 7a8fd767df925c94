import { describe, expect, test } from 'vitest';

import { aKind, aRow, aWaiting } from './_claims.ts';
import { chooseNext } from './choose-next.ts';
import type { Waiting } from './claim.ts';

const sdxl = aKind('sdxl', { models: ['sdxl'] });
const flux = aKind('flux', { models: ['flux'] });
const upscale = aKind('upscale');

/** On a seat that has flux in memory, and needs ten seconds to load anything else; runs take two. */
function choose(jobs: readonly Waiting[], loaded: readonly string[] = ['flux']): string | undefined {
  const row = aRow([{ runMs: 2_000, loadMs: 10_000 }]);
  return chooseNext(jobs, new Set(loaded), { index: 0, rowOf: () => row })?.id;
}

test('without jobs there is none', () => {
  expect(choose([])).toBeUndefined();
});

test('the first is next when its models are in memory, or it has none', () => {
  expect(choose([aWaiting('1', { kind: flux }), aWaiting('2', { kind: flux })])).toBe('1');
  expect(choose([aWaiting('1', { kind: upscale }), aWaiting('2', { kind: flux })])).toBe('1');
});

test('when no other job has its models in memory the first is next', () => {
  expect(choose([aWaiting('1', { kind: sdxl }), aWaiting('2', { kind: sdxl })])).toBe('1');
});

describe('a job whose models would have to be loaded', () => {
  test('lets those pass whose models are in memory, for twice as long as loading takes', () => {
    const first = aWaiting('first', { kind: sdxl });
    const warm = Array.from({ length: 20 }, (_, index) => aWaiting(`warm${index + 1}`, { kind: flux }));
    const chosen: (string | undefined)[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const id = choose([first, ...warm.filter((job) => !chosen.includes(job.id))]);
      chosen.push(id);
    }
    expect(chosen.slice(0, 11)).toEqual([...Array.from({ length: 10 }, (_, i) => `warm${i + 1}`), 'first']);
    expect(first.passedOverMs).toBe(20_000);
  });

  test('lets one pass only when it is the first of its owner', () => {
    const first = aWaiting('first', { kind: sdxl, isFirst: true });
    const warm = [aWaiting('warm1', { kind: flux }), aWaiting('warm2', { kind: flux })];
    expect(choose([first, ...warm])).toBe('warm1');
    expect(choose([first, ...warm.slice(1)])).toBe('first');
  });

  test('lets nobody pass either once it had to, though another one is before it', () => {
    const jobs = [
      aWaiting('cold', { kind: sdxl }),
      aWaiting('first', { kind: sdxl, isFirst: true }),
      aWaiting('warm1', { kind: flux }),
      aWaiting('warm2', { kind: flux }),
    ];
    expect(choose(jobs)).toBe('warm1');
    expect(choose(jobs.filter(({ id }) => id !== 'warm1'))).toBe('cold');
  });

  test('counts what passes it also while it is not the first of the seat', () => {
    const waits = aWaiting('waits', { kind: sdxl });
    choose([aWaiting('cold', { kind: sdxl }), waits, aWaiting('warm', { kind: flux })]);
    expect(waits).toMatchObject({ passedOver: 1, passedOverMs: 2_000 });
    choose([waits, aWaiting('cold', { kind: sdxl })]);
    expect(waits).toMatchObject({ passedOver: 1, passedOverMs: 2_000 });
  });

  test('lets nobody pass who is less urgent', () => {
    expect(choose([aWaiting('1', { kind: sdxl }), aWaiting('2', { kind: flux, priority: -1 })])).toBe('1');
    expect(choose([aWaiting('1', { kind: sdxl, priority: -1 }), aWaiting('2', { kind: flux })])).toBe('2');
  });

  test('lets one of no models pass too', () => {
    expect(choose([aWaiting('1', { kind: sdxl }), aWaiting('2', { kind: upscale })])).toBe('2');
  });

  test('is not passed by one from far behind', () => {
    const far = (count: number) => [
      ...Array.from({ length: count }, (_, index) => aWaiting(`cold${index}`, { kind: sdxl })),
      aWaiting('warm', { kind: flux }),
    ];
    expect(choose(far(10))).toBe('warm');
    expect(choose(far(200))).toBe('cold0');
  });
});
