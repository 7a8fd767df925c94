import type { InputMark } from '@comfy-bridge/protocol';

import { labelOf, wishName } from './caller-names.ts';
import type { GraphLike } from './graph-types.ts';
import type { MarkEntry, MarkProblem, MarkTarget, OutputEntry } from './mark-entry.ts';
import { canBeNamed, fitsInList, inputProblems, modeProblem } from './mark-problems.ts';
import { findWidget, resolveTargets } from './resolve-targets.ts';
import type { PlacedInput } from './resolve-targets.ts';
import { readMarks } from './stored-marks.ts';
import { isSubgraphNode, listPlaces } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/** What one place of the workflow holds. */
export interface PlaceMarks {
  entries: OpenEntry[];
  output: OutputEntry | undefined;
}

/** Every mark of the workflow, in the author's order (`order`, then by the ids of the nodes). */
export function collectMarks(rootGraph: GraphLike): MarkEntry[] {
  return finishEntries(
    listPlaces(rootGraph).flatMap((place) =>
      readMarks(place.node).inputs.map((mark) => toEntry(place, mark)),
    ),
  );
}

/** Every node whose results callers get. Empty: all results. */
export function collectOutputs(rootGraph: GraphLike): OutputEntry[] {
  return listPlaces(rootGraph)
    .filter(({ node }) => readMarks(node).output === true)
    .map(toOutput);
}

/** The marks of one place, without the problems that entries have with each other. */
export function readPlace(place: Place): PlaceMarks {
  const marks = readMarks(place.node);
  return {
    entries: marks.inputs.map((mark) => toEntry(place, mark)),
    output: marks.output === true ? toOutput(place) : undefined,
  };
}

/**
 * Sorts entries and adds the problems that they have with each other. Changes them. The order of a graph's nodes does not
 * count: the editor changes it at every click on a node.
 */
export function finishEntries(entries: OpenEntry[]): MarkEntry[] {
  entries.sort(
    (a, b) => (a.mark.order ?? Infinity) - (b.mark.order ?? Infinity) || comparePaths(a.path, b.path),
  );
  addSharedProblems(entries);
  return entries;
}

const { compare: comparePaths } = new Intl.Collator('en', { numeric: true });

function toOutput(place: Place): OutputEntry {
  return { node: place.node, path: place.path, problems: outputProblems(place) };
}

function outputProblems(place: Place): MarkProblem[] {
  const mode = modeProblem(place);
  const isExported = place.node.isVirtualNode !== true && !isSubgraphNode(place.node);
  return [...(mode === undefined ? [] : [mode]), ...(isExported ? [] : (['not-exported'] as const))];
}

/** Its problems are not all known yet. */
export type OpenEntry = MarkEntry & { problems: MarkProblem[] };

function toEntry(place: Place, mark: InputMark): OpenEntry {
  const { node, path } = place;
  const found = resolveTargets(place, mark.name).map((input) => ({ input, problems: inputProblems(input) }));
  const working = found.filter((each) => each.problems.length === 0);
  // Where some of a promoted widget's inputs work, the mark is theirs.
  const targets = (working.length > 0 ? working : found).map(({ input }) => toTarget(input));
  const widget = findWidget(node, mark.name);
  const problems = new Set<MarkProblem>(targets.length === 0 ? ['no-such-widget'] : []);
  if (working.length === 0)
    for (const problem of found.flatMap((each) => each.problems)) problems.add(problem);
  const names = targets.length === 0 ? [mark.name] : targets.map(({ inputName }) => inputName);
  if (!names.every(fitsInList)) problems.add('odd-name');
  if (targets.length > 1) problems.add('fans-out');
  return { node, path, widget, mark, targets, problems: [...problems] };
}

function toTarget({ place: { path, node }, inputName }: PlacedInput): MarkTarget {
  return { nodeId: path, inputName, node, widget: findWidget(node, inputName) };
}

function addSharedProblems(entries: OpenEntry[]): void {
  const names = new Map<string, number>();
  const inputs = new Set<string>();
  for (const entry of entries) {
    for (const name of namesOf(entry)) names.set(name, (names.get(name) ?? 0) + 1);
    const keys = entry.targets.map(({ nodeId, inputName }) => `${nodeId}/${inputName}`);
    if (keys.some((key) => inputs.has(key))) entry.problems.push('same-input');
    for (const key of keys) inputs.add(key);
  }
  for (const entry of entries) {
    if (entry.mark.label === undefined) continue;
    if (namesOf(entry).some((name) => (names.get(name) ?? 0) > 1)) entry.problems.push('duplicate-label');
  }
}

/** The name of the one input that the mark becomes. */
function namesOf(entry: MarkEntry): string[] {
  const target = entry.targets.find(({ inputName }) => canBeNamed(inputName));
  return target === undefined ? [] : [wishName(labelOf(entry), target.inputName)];
}
