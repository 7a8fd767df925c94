import { isRecord } from '../../lib/is-record.ts';
import type { InputProblem } from './bind-inputs.ts';

/** `product`: every combination. `zip`: the first of each list together, then the second of each, and so on. */
export type SweepMode = 'product' | 'zip';

export type ExpandedSweep =
  /** No list among the values: one job of its own, and no group. */
  | { ok: true; kind: 'single'; values: Record<string, unknown> }
  /** In the order of the lists; of several lists the one sent last changes fastest. */
  | { ok: true; kind: 'group'; values: Record<string, unknown>[] }
  | { ok: false; problems: InputProblem[] };

export interface SweepOptions {
  combine: SweepMode;
  maxJobs: number;
}

/**
 * Takes `{"each": [a, b]}`, or simply `[a, b]` (no input takes a list), as one job for each of the values. A `null` within a
 * list leaves the input out of that job. Pure; never makes more than `maxJobs`.
 */
export function expandSweep(
  values: Readonly<Record<string, unknown>>,
  { combine, maxJobs }: SweepOptions,
): ExpandedSweep {
  const single: [key: string, value: unknown][] = [];
  const swept: [key: string, each: readonly unknown[]][] = [];
  for (const [key, value] of Object.entries(values)) {
    const each = listOf(value);
    if (each === undefined) single.push([key, value]);
    else swept.push([key, each]);
  }
  // Not by assignment: that would lose an input called __proto__ instead of having it refused.
  const fixed = Object.fromEntries(single);
  if (swept.length === 0) return { ok: true, kind: 'single', values: fixed };
  const problems = findProblems(swept, { combine, maxJobs });
  if (problems.length > 0) return { ok: false, problems };
  const sets = combine === 'zip' ? zip(swept) : multiply(swept);
  return { ok: true, kind: 'group', values: sets.map((set) => ({ ...fixed, ...set })) };
}

/** The values of a list in either form. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isRecord(value) || !Array.isArray(value['each']) || Object.keys(value).length !== 1) return undefined;
  return value['each'];
}

type Swept = readonly [key: string, each: readonly unknown[]];

function findProblems(swept: readonly Swept[], { combine, maxJobs }: SweepOptions): InputProblem[] {
  const empty = swept.filter(([, each]) => each.length === 0);
  if (empty.length > 0) return empty.map(([key]) => ({ key, message: 'is an empty list: no job would run' }));
  const longest = Math.max(...swept.map(([, each]) => each.length));
  if (combine === 'zip') {
    const short = swept.filter(([, each]) => each.length !== longest);
    if (short.length > 0) {
      return short.map(([key, each]) => ({
        key,
        message: `is a list of ${each.length} where another has ${longest}: with "combine": "zip" all lists are equally long`,
      }));
    }
  }
  const total = combine === 'zip' ? longest : swept.reduce((product, [, each]) => product * each.length, 1);
  if (total <= maxJobs) return [];
  const [key] = swept[0] ?? [''];
  const together = swept.length > 1 ? ' together with the other lists' : '';
  return [{ key, message: `makes ${total} jobs${together}: at most ${maxJobs} can be submitted at once` }];
}

function zip(swept: readonly Swept[]): Record<string, unknown>[] {
  const length = swept[0]?.[1].length ?? 0;
  return Array.from({ length }, (_, index) => toSet(swept.map(([key, each]) => [key, each[index]])));
}

function multiply(swept: readonly Swept[]): Record<string, unknown>[] {
  let sets: (readonly [string, unknown])[][] = [[]];
  for (const [key, each] of swept)
    sets = sets.flatMap((set) => each.map((value) => [...set, [key, value] as const]));
  return sets.map(toSet);
}

function toSet(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined));
}
