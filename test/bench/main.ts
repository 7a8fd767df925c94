// `npm run bench [-- --only <name> …] [--quick] [--json <file>]`: docs/bench.md tells what is measured and how to read it.
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import type { Settings } from './_fleet.ts';
import { failures, toMarkdown } from './_report.ts';
import { untilQuiet } from './_quiet.ts';
import type { Row } from './_report.ts';
import { measureEverythingAtOnce } from './everything-at-once.ts';
import { measureIdleSockets } from './idle-sockets.ts';
import { measureLargeResult } from './large-result.ts';
import { measureDecisionCost } from './placement/decision-cost.ts';
import { measureLive } from './placement/live.ts';
import { measurePlacement } from './placement/measure-placement.ts';
import type { PlacementSettings } from './placement/measure-placement.ts';
import { measureOverheadPerJob } from './overhead-per-job.ts';
import { measureThroughput } from './throughput.ts';
import { measureUpload } from './upload.ts';
import { measureV2 } from './v2.ts';

interface AllSettings extends Settings, PlacementSettings {}

const scenarios: Record<string, (settings: AllSettings) => Promise<Row[]>> = {
  overhead: measureOverheadPerJob,
  throughput: measureThroughput,
  idle: measureIdleSockets,
  upload: measureUpload,
  v2: measureV2,
  result: measureLargeResult,
  everything: measureEverythingAtOnce,
  placement: measurePlacement,
  decision: async (settings) => measureDecisionCost(settings),
  live: measureLive,
};

const usage = `Usage: npm run bench -- [options]

  --only <name>      one scenario, may be repeated: ${Object.keys(scenarios).join(', ')}
  --quick            about a minute, with fewer and smaller cases
  --json <file>      writes the figures as JSON, too
  --out <dir>        placement: writes its tables and pictures there
  --scenarios <file> placement: other fleets and loads than those of test/bench/placement/scenarios.json
  --bridge <file>    the built bridge to measure (default packages/bridge/dist/main.mjs)
  --cpu-prof <dir>   writes a CPU profile of each bridge process`;

const options = {
  only: { type: 'string', multiple: true },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  out: { type: 'string' },
  scenarios: { type: 'string' },
  bridge: { type: 'string' },
  'cpu-prof': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options });
  const names = values.only ?? Object.keys(scenarios);
  const unknown = names.find((name) => !Object.hasOwn(scenarios, name));
  if (values.help || unknown !== undefined) {
    process.stdout.write(`${unknown === undefined ? '' : `there is no scenario ${unknown}\n\n`}${usage}\n`);
    return unknown === undefined ? 0 : 2;
  }
  const profileDir = values['cpu-prof'];
  const settings: AllSettings = {
    quick: values.quick,
    outDir: values.out,
    scenarioFile: values.scenarios,
    bridgeFile: resolve(
      values.bridge ?? join(import.meta.dirname, '..', '..', 'packages', 'bridge', 'dist', 'main.mjs'),
    ),
    bridgeNodeArgs: profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profileDir)}`],
  };
  const rows: Row[] = [];
  const before: string[] = [];
  let broken = 0;
  for (const name of names) {
    const inUse = await untilQuiet();
    before.push(`${name} ${Math.round(inUse * 100)} %`);
    process.stderr.write(`${name} …\n`);
    try {
      rows.push(...((await scenarios[name]?.(settings)) ?? []));
    } catch (error) {
      // What the others measured is worth keeping.
      broken += 1;
      process.stderr.write(`${name} broke: ${describeError(error)}\n`);
    }
  }
  const failed = failures(rows);
  const machine = `${describeMachine()}; processor in use by others just before: ${before.join(', ')}`;
  process.stdout.write(`${machine}\n\n${toMarkdown(rows)}\n\n${failed.length} of the gates failed\n`);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  return failed.length + broken === 0 ? 0 : 1;
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function describeMachine(): string {
  return `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, Node ${process.version}, everything on loopback`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
