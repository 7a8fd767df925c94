import type { InputMark } from '@comfy-bridge/protocol';

import { collectMarks } from './collect-marks.ts';
import { numberMarks } from './edit-marks.ts';
import type { Holder } from './find-holder.ts';
import type { GraphLike, NodeLike } from './graph-types.ts';
import { readMarks, writeMarks } from './stored-marks.ts';

export interface ImportedMark {
  node: NodeLike;
  /** Undefined: its results are marked as an output. */
  name: string | undefined;
}

export interface LeftMark {
  /** As the source names it. */
  key: string;
  reason: 'no-such-node' | 'no-such-widget' | 'other-class' | 'unreadable';
}

export interface ImportReport {
  taken: ImportedMark[];
  left: LeftMark[];
}

/** Puts imported marks into nodes, after those that are there. A mark that is there takes what the source says of it. */
export function startImport(rootGraph: GraphLike) {
  const report: ImportReport = { taken: [], left: [] };
  const seen = new Map<NodeLike, Set<string>>();
  /** Only what is taken may change the workflow. */
  let next: number | undefined;

  function take({ node, name }: Holder, mark: Partial<InputMark>): void {
    // One promoted widget sets several inputs: the first says what the others repeat.
    const names = seen.get(node) ?? new Set();
    if (names.has(name)) return;
    seen.set(node, names.add(name));
    next ??= numberMarks(collectMarks(rootGraph));
    const marks = readMarks(node);
    const index = marks.inputs.findIndex((each) => each.name === name);
    const merged = { order: next, ...marks.inputs[index], ...withoutOrder(mark), name };
    const inputs = index < 0 ? [...marks.inputs, merged] : marks.inputs.with(index, merged);
    writeMarks(node, { ...marks, inputs });
    next += 1;
    report.taken.push({ node, name });
  }

  function takeOutput(node: NodeLike): void {
    writeMarks(node, { ...readMarks(node), output: true });
    report.taken.push({ node, name: undefined });
  }

  function leave(key: string, reason: LeftMark['reason']): void {
    report.left.push({ key, reason });
  }

  return { report, take, takeOutput, leave };
}

function withoutOrder({ order: _order, ...mark }: Partial<InputMark>): Partial<InputMark> {
  return mark;
}
