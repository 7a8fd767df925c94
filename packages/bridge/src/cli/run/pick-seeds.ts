import { randomInt } from 'node:crypto';

import { isRecord } from '../../lib/is-record.ts';
import { usageError } from '../cli-error.ts';
import type { GivenOptions } from '../command-context.ts';
import type { ShownInput, ShownWorkflow } from '../commands/workflows.ts';

type Picked = [input: ShownInput, value: number | bigint | { each: number[] }];

/** Jobs that one request can make. */
const mostJobs = 1_000;

/** The seeds that `--seed` and `--count` ask for. Throws a usage error where there is nothing to seed. */
export function pickSeeds(workflow: ShownWorkflow, options: GivenOptions): Picked[] {
  const seed = options.text('seed');
  const count = options.number('count', { min: 1, max: mostJobs });
  if (seed === undefined && count === undefined) return [];
  if (seed !== undefined && seed !== 'random' && count !== undefined)
    throw usageError('--count gives each job a seed of its own: leave --seed out');
  const inputs = workflow.inputs.filter(isSeed);
  const [first] = inputs;
  if (first === undefined)
    throw usageError(`${workflow.alias} has no input for a seed: the same inputs make the same result`);
  if (count !== undefined) {
    const each = Array.from({ length: count }, () => randomSeed(workflow, first));
    return [[first, { each }]];
  }
  if (seed === 'random') return inputs.map((input) => [input, randomSeed(workflow, input)]);
  if (seed === undefined || !/^\d+$/.test(seed)) throw usageError('--seed is a whole number, or random');
  const value = Number.isSafeInteger(Number(seed)) ? Number(seed) : BigInt(seed);
  return inputs.map((input) => [input, value]);
}

function isSeed({ type, name, key }: ShownInput): boolean {
  return type === 'int' && (/seed$/i.test(name) || /\/(noise_)?seed$/i.test(key));
}

/** From 0 up to what the input takes, and no more than is easy to read and repeat. */
function randomSeed({ input_schema }: ShownWorkflow, { name }: ShownInput): number {
  const { properties } = input_schema;
  const schema = isRecord(properties) ? properties[name] : undefined;
  const maximum = isRecord(schema) && typeof schema['maximum'] === 'number' ? schema['maximum'] : Infinity;
  return randomInt(0, Math.min(maximum, 2 ** 32 - 1) + 1);
}
