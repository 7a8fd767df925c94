import { distanceOf } from './compare-sketches.ts';
import type { Sketches } from './compare-sketches.ts';

/** What one backend made of a job's prompt. */
export interface Testimony {
  backend: string;
  made: Sketches;
}

export type DuplicateVerdict =
  | { kind: 'agree'; backends: readonly string[] }
  /** Two differ: a third one is to decide. */
  | { kind: 'differ'; backends: readonly string[]; difference: number }
  /** Two agree and the third does not. */
  | { kind: 'outvoted'; loser: string; winners: readonly [string, string]; difference: number }
  /** All of them differ, or one is between the others: the workflow may not be one that gives the same twice. */
  | { kind: 'undecided'; backends: readonly string[]; difference: number };

/** Pure: what two or three runs of the same prompt say of those that made them. */
export function judgeDuplicates(
  [first, second, third]: readonly [Testimony, Testimony, Testimony?],
  tolerance: number,
): DuplicateVerdict {
  const pair = [first.backend, second.backend];
  const difference = distanceOf(first.made, second.made);
  if (third === undefined) {
    return difference <= tolerance
      ? { kind: 'agree', backends: pair }
      : { kind: 'differ', backends: pair, difference };
  }
  const fromFirst = distanceOf(first.made, third.made);
  const fromSecond = distanceOf(second.made, third.made);
  if (fromFirst <= tolerance && fromSecond > tolerance) {
    const winners = [first.backend, third.backend] as const;
    return { kind: 'outvoted', loser: second.backend, winners, difference: fromSecond };
  }
  if (fromSecond <= tolerance && fromFirst > tolerance) {
    const winners = [second.backend, third.backend] as const;
    return { kind: 'outvoted', loser: first.backend, winners, difference: fromFirst };
  }
  return { kind: 'undecided', backends: [...pair, third.backend], difference };
}
