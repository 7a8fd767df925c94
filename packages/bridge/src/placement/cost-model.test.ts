import { describe, expect, test } from 'vitest';

import { aWork, recordRuns } from './_learned.ts';
import { createCostModel } from './cost-model.ts';
import type { CostModel } from './cost-model.ts';

const portrait = aWork('portrait');
const video = aWork('video');
const sdxl = aWork('sdxl', { models: ['sdxl.safetensors'] });

/** Within `share` of it. */
function expectAbout(ms: number, wanted: number, share = 0.05): void {
  expect(ms).toBeGreaterThan(wanted * (1 - share));
  expect(ms).toBeLessThan(wanted * (1 + share));
}

function learned(...runs: Parameters<typeof recordRuns>[1][]): CostModel {
  const costs = createCostModel();
  for (const run of runs) recordRuns(costs, run);
  return costs;
}

describe('a run', () => {
  test('is a guess while nothing is known, and a positive one', () => {
    const { ms, basis, spread } = createCostModel().run(portrait, 'a');
    expect(basis).toBe('guess');
    expect(ms).toBeGreaterThan(0);
    expect(spread).toBeGreaterThan(0.5);
  });

  test('is expected as it was seen on that machine', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 8_000, times: 5 });
    const { ms, basis, spread } = costs.run(portrait, 'a');
    expect(basis).toBe('here');
    expectAbout(ms, 8_000);
    expect(spread).toBeLessThan(0.2);
  });

  test('of a workflow that never ran is guessed by what others take', () => {
    const costs = learned({ work: video, backend: 'a', ms: 90_000, times: 5 });
    const { ms, basis } = costs.run(portrait, 'a');
    expect(basis).toBe('guess');
    expectAbout(ms, 90_000);
  });

  test('that only other machines have done is expected by how fast the machine is at other workflows', () => {
    const costs = learned(
      { work: portrait, backend: 'fast', ms: 2_000, times: 6 },
      { work: portrait, backend: 'slow', ms: 8_000, times: 6 },
      { work: video, backend: 'fast', ms: 30_000, times: 6 },
    );
    const { ms, basis } = costs.run(video, 'slow');
    expect(basis).toBe('elsewhere');
    expectAbout(ms, 120_000);
    expectAbout(costs.run(video, 'fast').ms, 30_000);
  });

  test('is known for the slow machine too when the slow one was first', () => {
    const costs = learned(
      { work: portrait, backend: 'slow', ms: 8_000, times: 6 },
      { work: portrait, backend: 'fast', ms: 2_000, times: 6 },
      { work: video, backend: 'slow', ms: 120_000, times: 6 },
    );
    expectAbout(costs.run(video, 'fast').ms, 30_000);
  });

  test('on a machine that is new is expected as others do it', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 4_000, times: 5 });
    expect(costs.run(portrait, 'new')).toMatchObject({ basis: 'elsewhere' });
    expectAbout(costs.run(portrait, 'new').ms, 4_000);
  });

  test('is not expected otherwise after what a slow machine did', () => {
    const costs = learned(
      { work: portrait, backend: 'fast', ms: 1_000, times: 10 },
      { work: portrait, backend: 'slow', ms: 20_000, times: 10 },
    );
    expectAbout(costs.run(portrait, 'fast').ms, 1_000, 0.15);
    expectAbout(costs.run(portrait, 'slow').ms, 20_000, 0.15);
  });

  test('goes by what was seen of just that pair, though the machine is slow at all else', () => {
    const costs = learned(
      { work: portrait, backend: 'a', ms: 1_000, times: 5 },
      { work: portrait, backend: 'b', ms: 10_000, times: 5 },
      { work: video, backend: 'a', ms: 1_000, times: 5 },
      { work: video, backend: 'b', ms: 1_000, times: 20 },
    );
    expectAbout(costs.run(video, 'b').ms, 1_000, 0.2);
  });

  test('that is far off once is hardly heeded', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 1_000, times: 20 });
    recordRuns(costs, { work: portrait, backend: 'a', ms: 60_000 });
    expectAbout(costs.run(portrait, 'a').ms, 1_000, 0.3);
  });

  test('that takes longer from now on is expected so within fifteen', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 1_000, times: 20 });
    recordRuns(costs, { work: portrait, backend: 'a', ms: 4_000, times: 15 });
    expectAbout(costs.run(portrait, 'a').ms, 4_000, 0.2);
  });

  test('of a larger size is expected from a smaller one, in proportion', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 1_000, times: 5 });
    expectAbout(costs.run({ ...portrait, sizeClass: 22 }, 'a').ms, 4_000);
    expectAbout(costs.run({ ...portrait, sizeClass: 22 }, 'other').ms, 4_000);
  });

  test('that took no time at all is still a run', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 0, times: 3 });
    const { ms } = costs.run(portrait, 'a');
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThan(10);
  });
});

describe('loading', () => {
  test('costs nothing for work without models, and something unknown for others', () => {
    const costs = createCostModel();
    expect(costs.loadMs(portrait, 'a')).toBe(0);
    expect(costs.loadMs(sdxl, 'a')).toBeGreaterThan(0);
  });

  test('is what cold runs take longer, and they say nothing of the run', () => {
    const costs = learned({ work: sdxl, backend: 'a', ms: 3_000, times: 3 });
    const before = costs.run(sdxl, 'a');
    recordRuns(costs, { work: sdxl, backend: 'a', ms: 15_000, times: 5, isCold: true });
    expect(costs.run(sdxl, 'a')).toEqual(before);
    expectAbout(costs.loadMs(sdxl, 'a'), 12_000);
  });

  test('and running are together what it took, while only first runs were seen', () => {
    const costs = learned({ work: sdxl, backend: 'a', ms: 20_000, isCold: true });
    const { ms, basis } = costs.run(sdxl, 'a');
    expect(basis).toBe('elsewhere');
    expectAbout(ms + costs.loadMs(sdxl, 'a'), 20_000);
    expect(costs.loadMs(sdxl, 'a')).toBeGreaterThan(2_000);
  });

  test('is told apart once a run with everything loaded was seen', () => {
    const costs = learned(
      { work: sdxl, backend: 'a', ms: 20_000, isCold: true },
      { work: sdxl, backend: 'a', ms: 5_000 },
    );
    expectAbout(costs.run(sdxl, 'a').ms, 5_000);
    expectAbout(costs.loadMs(sdxl, 'a'), 15_000);
  });

  test('of the same models costs the same in another workflow', () => {
    const costs = learned(
      { work: sdxl, backend: 'a', ms: 3_000, times: 3 },
      { work: sdxl, backend: 'a', ms: 10_000, times: 3, isCold: true },
    );
    expectAbout(costs.loadMs(aWork('other', { models: ['sdxl.safetensors'] }), 'a'), 7_000);
  });

  test('is slower on a machine with a slow disk, also of models that it never loaded', () => {
    const flux = aWork('flux', { models: ['flux.sft'] });
    const costs = learned(
      ...[sdxl, flux].map((work) => ({ work, backend: 'ssd', ms: 1_000, times: 3 })),
      { work: sdxl, backend: 'disk', ms: 1_000, times: 3 },
      ...[sdxl, flux].map((work) => ({ work, backend: 'ssd', ms: 6_000, times: 4, isCold: true })),
      { work: sdxl, backend: 'disk', ms: 51_000, times: 4, isCold: true },
    );
    expectAbout(costs.loadMs(sdxl, 'disk'), 50_000, 0.1);
    expectAbout(costs.loadMs(flux, 'disk'), 50_000, 0.1);
    expectAbout(costs.loadMs(flux, 'ssd'), 5_000, 0.1);
  });

  test('is never less than nothing, though a cold run was faster than a warm one', () => {
    const costs = learned({ work: sdxl, backend: 'a', ms: 10_000, times: 3 });
    recordRuns(costs, { work: sdxl, backend: 'a', ms: 8_000, isCold: true });
    expect(costs.loadMs(sdxl, 'a')).toBeGreaterThan(0);
    expect(costs.loadMs(sdxl, 'a')).toBeLessThan(1_000);
  });

  test('is no matter of work without models: its cold runs are runs', () => {
    const costs = learned({ work: portrait, backend: 'a', ms: 4_000, times: 3, isCold: true });
    expect(costs.run(portrait, 'a').basis).toBe('here');
    expectAbout(costs.run(portrait, 'a').ms, 4_000);
  });
});

test('every record makes a new version', () => {
  const costs = createCostModel();
  const before = costs.version;
  recordRuns(costs, { work: portrait, backend: 'a', ms: 1_000, times: 3 });
  expect(costs.version).toBe(before + 3);
});

test('what a run of an absurd size is expected to take is still a time', () => {
  const costs = createCostModel();
  recordRuns(costs, { work: aWork('portrait', { sizeClass: 0 }), backend: 'a', ms: 10_000, times: 3 });
  const { ms } = costs.run(aWork('portrait', { sizeClass: 60 }), 'a');
  expect(Number.isNaN(new Date(Date.now() + ms).getTime())).toBe(false);
});

test('a prompt with numbers is not expected to take months because one without took seconds', () => {
  const costs = createCostModel();
  recordRuns(costs, { work: aWork('portrait', { sizeClass: 0 }), backend: 'a', ms: 10_000, times: 3 });
  expect(costs.run(aWork('portrait', { sizeClass: 24 }), 'a').ms).toBeLessThan(24 * 3_600_000);
});
