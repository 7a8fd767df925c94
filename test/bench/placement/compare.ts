import { anyOne, fewestQueued, powerOfTwo, roundRobin } from './baselines.ts';
import { createBridgeStrategy } from './bridge-strategy.ts';
import { lowerBound } from './lower-bound.ts';
import type { Bound } from './lower-bound.ts';
import { measureOutcome } from './measures.ts';
import type { Measures } from './measures.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';
import type { Outcome, Strategy } from './simulate.ts';
import { buildWorld } from './world.ts';
import type { World } from './world.ts';

/** In the order of the table. `trained` has what an earlier day's jobs taught it of the same fleet. */
export const strategyNames = [
  'comfy-bridge',
  'comfy-bridge, trained',
  'fewest queued',
  'power of two',
  'round-robin',
  'random',
] as const;

export type StrategyName = (typeof strategyNames)[number];

/** A scenario played with one seed. */
export interface Played {
  seed: number;
  world: World;
  bound: Bound;
  outcomes: Record<StrategyName, Outcome>;
  measures: Record<StrategyName, Measures>;
}

export function play(scenario: Scenario, seed: number): Played {
  const world = buildWorld(scenario, seed);
  const bound = lowerBound(world);
  const untrained = createBridgeStrategy(world);
  const run = (strategy: Strategy) => simulate(world, strategy);
  const outcomes: Played['outcomes'] = {
    'comfy-bridge': run(untrained),
    'comfy-bridge, trained': run(createBridgeStrategy(world, { learned: learnFrom(scenario, seed) })),
    'fewest queued': run(fewestQueued(world)),
    'power of two': run(powerOfTwo(world, seed)),
    'round-robin': run(roundRobin(world)),
    random: run(anyOne(world, seed)),
  };
  const measures = mapValues(outcomes, (outcome) => measureOutcome(world, outcome, bound));
  return { seed, world, bound, outcomes, measures };
}

/** What the bridge has in its store after another day with the same fleet and other jobs. */
function learnFrom(scenario: Scenario, seed: number): ReadonlyMap<string, string> {
  const world = buildWorld(scenario, seed, 1);
  const strategy = createBridgeStrategy(world);
  simulate(world, strategy);
  return strategy.learned();
}

function mapValues<A, B>(record: Record<StrategyName, A>, map: (value: A) => B): Record<StrategyName, B> {
  return {
    'comfy-bridge': map(record['comfy-bridge']),
    'comfy-bridge, trained': map(record['comfy-bridge, trained']),
    'fewest queued': map(record['fewest queued']),
    'power of two': map(record['power of two']),
    'round-robin': map(record['round-robin']),
    random: map(record.random),
  };
}
