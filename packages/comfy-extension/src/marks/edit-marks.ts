import type { InputMark } from '@comfy-bridge/protocol';

import { collectMarks } from './collect-marks.ts';
import type { GraphLike, NodeLike } from './graph-types.ts';
import type { MarkEntry } from './mark-entry.ts';
import { parseDescimages, readMarks, writeMarks } from './stored-marks.ts';
import { listPlaces } from './walk-graph.ts';

/** Changes of a mark; `undefined` takes the field away. The name stays. */
export type MarkChanges = { [Field in Exclude<keyof InputMark, 'name'>]?: InputMark[Field] | undefined };

/** Marks a widget, or takes its mark away. False when nothing changed (an empty name cannot be marked). */
export function toggleMark(node: NodeLike, widgetName: string, on: boolean): boolean {
  const marks = readMarks(node);
  const isMarked = marks.inputs.some(({ name }) => name === widgetName);
  if (isMarked === on || widgetName === '') return false;
  const inputs = on
    ? [...marks.inputs, { name: widgetName }]
    : marks.inputs.filter(({ name }) => name !== widgetName);
  writeMarks(node, { ...marks, inputs });
  return true;
}

/** Marks a widget, after all marks of the workflow; numbers those that have no place yet. False when nothing changed. */
export function addMark(rootGraph: GraphLike, node: NodeLike, widgetName: string): boolean {
  const marks = listPlaces(rootGraph).flatMap((place) => readMarks(place.node).inputs);
  const isNumbered = marks.every(({ order }) => order !== undefined);
  const next = isNumbered
    ? marks.reduce((most, { order = 0 }) => Math.max(most, order), -1) + 1
    : numberMarks(collectMarks(rootGraph));
  return toggleMark(node, widgetName, true) && updateMark(node, widgetName, { order: next });
}

/** Marks a node's results for callers, or takes that away. False when nothing changed. */
export function toggleOutput(node: NodeLike, on: boolean): boolean {
  const { output, ...marks } = readMarks(node);
  if ((output ?? false) === on) return false;
  writeMarks(node, on ? { ...marks, output: true } : marks);
  return true;
}

/** Changes a mark that is there. What is no valid value of its field takes the field away. False when there is no such mark. */
export function updateMark(node: NodeLike, name: string, changes: MarkChanges): boolean {
  const marks = readMarks(node);
  const index = marks.inputs.findIndex((mark) => mark.name === name);
  const mark = marks.inputs[index];
  if (mark === undefined) return false;
  marks.inputs[index] = Object.assign(mark, changes, { name });
  writeMarks(node, marks);
  return true;
}

/** The description images of a node: file names in the bridge's folder. */
export function setDescimages(node: NodeLike, names: readonly string[]): void {
  writeMarks(node, { ...readMarks(node), descimages: parseDescimages([...names]) });
}

/**
 * Moves an entry of `collectMarks` to another place in its list and numbers all marks anew. `to` is its index afterwards.
 * Entries of one mark (a subgraph used twice) stay together.
 */
export function reorder(entries: readonly MarkEntry[], from: number, to: number): void {
  const moved = entries[from];
  if (moved === undefined || from === to) return;
  const others = entries.filter((_, index) => index !== from);
  const ordered = others
    .toSpliced(Math.max(0, to), 0, moved)
    .filter((entry) => entry === moved || !isSameMark(entry, moved));
  numberMarks(ordered);
}

/** Gives the marks the order that the entries have. Answers the next free number. */
export function numberMarks(entries: readonly MarkEntry[]): number {
  const numbered = new Map<NodeLike, Map<string, number>>();
  let next = 0;
  for (const { node, mark } of entries) {
    const orders = numbered.get(node) ?? new Map<string, number>();
    if (orders.has(mark.name)) continue;
    numbered.set(node, orders.set(mark.name, next));
    next += 1;
  }
  for (const [node, orders] of numbered) {
    const marks = readMarks(node);
    const inputs = marks.inputs.map((mark) => ({ ...mark, order: orders.get(mark.name) ?? next }));
    writeMarks(node, { ...marks, inputs });
  }
  return next;
}

function isSameMark(a: MarkEntry, b: MarkEntry): boolean {
  return a.node === b.node && a.mark.name === b.mark.name;
}
