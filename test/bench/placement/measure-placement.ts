import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Row } from '../_report.ts';
import { showNumber } from '../_stats.ts';
import { play } from './compare.ts';
import { drawProgress } from './draw-progress.ts';
import { drawSchedule } from './draw-schedule.ts';
import { readScenarios } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { overSeeds, ratioOverSeeds, showSpread, toTables } from './table.ts';
import type { Result } from './table.ts';

export interface PlacementSettings {
  quick: boolean;
  /** Other scenarios than those beside this file. */
  scenarioFile?: string | undefined;
  /** Where the tables and pictures go; none are made without it. */
  outDir?: string | undefined;
}

/** Fleets of more backends are drawn as curves. */
const mostLines = 16;

/** The bridge's policy against others and against what no schedule can beat, in virtual time. */
export async function measurePlacement({ quick, scenarioFile, outDir }: PlacementSettings): Promise<Row[]> {
  const { seeds, scenarios } = await readScenarios(
    scenarioFile ?? join(import.meta.dirname, 'scenarios.json'),
  );
  const results: Result[] = [];
  for (const scenario of scenarios) {
    if (quick && !scenario.quick) continue;
    process.stderr.write(`  ${scenario.name}\n`);
    const result = {
      scenario,
      played: (quick ? seeds.slice(0, 1) : seeds).map((seed) => play(scenario, seed)),
    };
    if (outDir !== undefined) await draw(outDir, result);
    // The schedules themselves are large and no longer needed.
    results.push({ scenario, played: result.played.map((played) => ({ ...played, outcomes: noOutcomes })) });
  }
  const tables = toTables(results);
  process.stdout.write(`${tables}\n`);
  if (outDir !== undefined) await writeFile(join(outDir, 'placement.md'), tables);
  return results.flatMap(toRows);
}

const nothing = { totalMs: 0, runs: [], thinkingMs: 0 };
const noOutcomes = {
  'comfy-bridge': nothing,
  'comfy-bridge, trained': nothing,
  'fewest queued': nothing,
  'power of two': nothing,
  'round-robin': nothing,
  random: nothing,
};

async function draw(outDir: string, { scenario, played: [first] }: Result): Promise<void> {
  if (first === undefined) return;
  await mkdir(outDir, { recursive: true });
  const picture =
    scenario.backends <= mostLines ? drawSchedule(scenario, first) : drawProgress(scenario, first);
  await writeFile(join(outDir, `${fileNameOf(scenario)}.svg`), picture);
}

function fileNameOf({ name }: Scenario): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}

/** The gates: near the bound where it is tight, and well ahead of what the original does. */
function toRows(result: Result): Row[] {
  const { scenario } = result;
  const shared = { scenario: `placement, ${scenario.name}`, unit: '×' };
  const keys = [
    { what: 'total time', key: 'total', toBound: 'totalToBound', ms: 'totalMs' },
    { what: 'mean completion', key: 'mean', toBound: 'meanToBound', ms: 'meanMs' },
  ] as const;
  return keys.flatMap(({ what, key, toBound, ms }): Row[] => {
    const bound = overSeeds(result, 'comfy-bridge', toBound);
    const trained = overSeeds(result, 'comfy-bridge, trained', toBound);
    const ratio = ratioOverSeeds(result, 'fewest queued', ms);
    return [
      {
        ...shared,
        what: `${what} ÷ lower bound`,
        value: bound.median,
        ...(scenario.tight[key] ? { gate: { atMost: 1.2 } } : {}),
        notes: `${showSpread(bound)}; trained ${showNumber(trained.median)}`,
      },
      {
        ...shared,
        what: `${what}: fewest queued ÷ bridge`,
        value: ratio.median,
        gate: { atLeast: 1.5 },
        notes: showSpread(ratio),
      },
    ];
  });
}
