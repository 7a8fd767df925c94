import { expect, test } from 'vitest';

import { runSchedule } from './random-schedule.ts';
import { thorough } from './_settings.ts';

const seeds =
  process.env['SEED'] === undefined ? (thorough ? [11, 12] : [11]) : [Number(process.env['SEED'])];
const minutes = Number(process.env['MINUTES'] ?? 1);

test.each(seeds)(
  'a random schedule of faults, seed %i: nothing is lost',
  { timeout: minutes * 60_000 + 150_000 },
  async (seed) => {
    const report = await runSchedule({ seed, minutes });
    expect(report.violations, `replay with SEED=${seed} MINUTES=${minutes}`).toEqual([]);
    expect(report.lost).toBe(0);
    expect(report.succeeded).toBeGreaterThan(50 * minutes);
    expect(Object.keys(report.faults).length).toBeGreaterThan(3);
  },
);
