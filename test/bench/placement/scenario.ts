import { readFile } from 'node:fs/promises';

/** A fleet and what is asked of it, as data: others can be tried by adding to `scenarios.json`. */
export interface Scenario {
  name: string;
  /** One line for people. */
  about: string;
  backends: number;
  /** Slowest and fastest; 1 is the slowest sensible. Drawn evenly in the logarithm, as all ranges are. */
  speed: readonly [number, number];
  /** GB of video memory. */
  memoryGb: readonly [number, number];
  workflows: number;
  /** Seconds of a run at speed 1. */
  runSeconds: readonly [number, number];
  /** Seconds of loading the models of a workflow, where the disk is of common speed. */
  loadSeconds: readonly [number, number];
  /** GB of memory that the models of a workflow take. */
  modelGb: readonly [number, number];
  /** Slowest and fastest disk: what loads are divided by. */
  diskSpeed: readonly [number, number];
  /** Share of the backends that have the models of a workflow. */
  coverage: number;
  /** 0: all workflows as often; 1: the first twice as often as the second, and so on (Zipf). */
  skew: number;
  jobs: number;
  arrival: Arrival;
  owners: number;
  /** Deviation of run times, as a share. */
  noise: number;
  /** Whether the lower bound is near what can be reached, and why not. */
  tight: { total: boolean; mean: boolean; why: string };
  /** Runs in the quick mode, too. */
  quick: boolean;
}

/** Loads are shares of what the fleet can do with everything in memory. */
export type Arrival =
  | { kind: 'at-once' }
  | { kind: 'steady'; load: number }
  | { kind: 'bursts'; load: number; size: number };

export interface ScenarioFile {
  seeds: readonly number[];
  scenarios: readonly Scenario[];
}

/** What a scenario says overrides what the file says of all. */
export async function readScenarios(file: string): Promise<ScenarioFile> {
  const {
    seeds,
    common,
    scenarios,
  }: { seeds: number[]; common: Partial<Scenario>; scenarios: Partial<Scenario>[] } = JSON.parse(
    await readFile(file, 'utf8'),
  );
  return { seeds, scenarios: scenarios.map((scenario) => complete({ ...common, ...scenario })) };
}

const fields = {
  name: 'string',
  about: 'string',
  backends: 'number',
  speed: 'object',
  memoryGb: 'object',
  workflows: 'number',
  runSeconds: 'object',
  loadSeconds: 'object',
  modelGb: 'object',
  diskSpeed: 'object',
  coverage: 'number',
  skew: 'number',
  jobs: 'number',
  arrival: 'object',
  owners: 'number',
  noise: 'number',
  tight: 'object',
} as const satisfies Partial<Record<keyof Scenario, string>>;

function complete(scenario: Partial<Scenario>): Scenario {
  for (const [name, type] of Object.entries(fields)) {
    if (typeof scenario[name as keyof Scenario] !== type)
      throw new Error(`the scenario ${JSON.stringify(scenario.name)} needs "${name}"`);
  }
  return { quick: false, ...scenario } as Scenario;
}
