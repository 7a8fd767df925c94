import type { InputKey } from '@comfy-bridge/protocol';

import { findNearest } from '../../lib/find-nearest.ts';
import type { InputProblem } from './bind-inputs.ts';
import { nameInputs, toSlug } from './name-inputs.ts';
import type { NamedInput } from './name-inputs.ts';
import type { PublishedWorkflow } from '../catalog/published-workflow.ts';
import { quote, shorten } from '../quote.ts';

export type ResolvedKeys =
  | {
      ok: true;
      /** By key, as `bindInputs` takes them. What was `null` is left out: the author's default. */
      values: Record<InputKey, unknown>;
      /** What an input is to be called when something is said of it: as the caller called it, else its name. */
      calledAs: (key: string) => string;
    }
  | { ok: false; problems: InputProblem[] };

/** A caller may have invented any number of names. */
const maxProblems = 100;
/** Suggestions cost a comparison with every name, and nobody reads more. */
const maxSuggestions = 20;

/**
 * A caller's `inputs` by key. An input may be called by its key, its name, or its label exactly as the author wrote it. All
 * that nobody can tell is told at once; `key` of a problem is what the caller wrote.
 */
export function resolveInputKeys(
  workflow: Pick<PublishedWorkflow, 'inputs'>,
  inputs: Readonly<Record<string, unknown>>,
): ResolvedKeys {
  const named = nameInputs(workflow);
  const find = createFinder(named);
  const names = named.map(({ name }) => name);
  const values: Record<InputKey, unknown> = {};
  const called = new Map<string, string>();
  const problems: InputProblem[] = [];
  for (const [given, value] of Object.entries(inputs)) {
    if (problems.length >= maxProblems) break;
    const found = find(given);
    const [one] = found;
    if (one === undefined) {
      const told = problems.length < maxSuggestions;
      problems.push({
        key: given,
        message: told ? unknownMessage(given, names, problems.length === 0) : notAnInput,
      });
    } else if (found.length > 1) {
      const keys = found.map(({ input }) => input.key);
      problems.push({ key: given, message: `is the label of several inputs: say ${shorten(keys)}` });
    } else if (called.has(one.input.key)) {
      const before = called.get(one.input.key) ?? '';
      problems.push({ key: given, message: `is the same input as ${quote(before)}: send it once` });
    } else {
      called.set(one.input.key, given);
      if (value !== null && value !== undefined) values[one.input.key] = value;
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  const nameOf = new Map<string, string>(named.map(({ name, input }) => [input.key, name]));
  return { ok: true, values, calledAs: (key) => called.get(key) ?? nameOf.get(key) ?? key };
}

/** All inputs that a text can mean: several only for a label that more than one has. */
function createFinder(named: readonly NamedInput[]): (given: string) => readonly NamedInput[] {
  const byKey = new Map<string, NamedInput[]>(named.map((one) => [one.input.key, [one]]));
  const byName = new Map<string, NamedInput[]>(named.map((one) => [one.name, [one]]));
  const byLabel = Map.groupBy(named, ({ label }) => label);
  return (given) => byKey.get(given) ?? byName.get(given) ?? byLabel.get(given) ?? [];
}

const notAnInput = 'is not an input of this workflow';

function unknownMessage(given: string, names: readonly string[], listed: boolean): string {
  if (names.length === 0) return `${notAnInput} (it has none)`;
  const nearest = findNearest(given, names, toSlug);
  const meant = nearest === undefined ? '' : `: ${quote(nearest)} is meant?`;
  // What there is is listed once, however many names are wrong.
  return `${notAnInput}${meant}${listed ? ` (its inputs: ${shorten(names)})` : ''}`;
}
