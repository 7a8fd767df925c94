import type { ApiNode, ApiPrompt, InputMark } from '@comfy-bridge/protocol';

import { labelOf } from './caller-names.ts';
import type { NodeLike } from './graph-types.ts';
import type { MarkEntry, OutputEntry } from './mark-entry.ts';
import { canBeNamed, fitsInList } from './mark-problems.ts';
import { readMarks } from './stored-marks.ts';

interface AddedMarks {
  inputs: InputMark[];
  /** Names for the original bridge, which knows no `also`. */
  names: string[];
  output: boolean;
  descimages: Set<string>;
}

/**
 * The API format with the marks in `_meta`: names for the original bridge (`apiinput`), the rest beside (`bridge`). Its inputs
 * and nodes are those of `prompt`; the nodes that get marks are new objects. Marks that a caller could not use (linked, not
 * exported) are left out, and every one is numbered, for the order of a file is not the author's. A mark that means several
 * inputs is one, on the first of them, and says the others.
 */
export function addMarks(
  prompt: ApiPrompt,
  entries: readonly MarkEntry[],
  outputs: readonly OutputEntry[] = [],
): ApiPrompt {
  const added = new Map<string, AddedMarks>();
  const marksOf = (nodeId: string): AddedMarks => {
    const marks = added.get(nodeId) ?? { inputs: [], names: [], output: false, descimages: new Set() };
    added.set(nodeId, marks);
    return marks;
  };
  const findDescimages = createDescimages();
  let order = 0;
  for (const entry of entries) {
    const targets = entry.targets.filter(
      ({ nodeId, inputName }) =>
        !marksOf(nodeId).names.includes(inputName) && isSettable(prompt, nodeId, inputName),
    );
    for (const { nodeId, inputName, node } of targets) {
      const marks = marksOf(nodeId);
      marks.names.push(inputName);
      for (const image of [...findDescimages(entry.node), ...findDescimages(node)])
        marks.descimages.add(image);
    }
    const [first, ...others] = targets;
    if (first === undefined) continue;
    const { label: _own, ...mark } = entry.mark;
    const label = labelOf(entry);
    marksOf(first.nodeId).inputs.push({
      ...copy(mark),
      name: first.inputName,
      order,
      ...(label !== undefined && { label }),
      ...(others.length > 0 && { also: others.map(({ nodeId, inputName }) => `${nodeId}/${inputName}`) }),
    });
    order += 1;
  }
  for (const { path } of outputs) marksOf(path).output = true;
  return Object.fromEntries(
    Object.entries(prompt).map(([nodeId, node]) => [nodeId, withMarks(node, added.get(nodeId))]),
  );
}

/** Whether the prompt has the input, and as a value of its own. */
function isSettable(prompt: ApiPrompt, nodeId: string, inputName: string): boolean {
  const inputs = Object.hasOwn(prompt, nodeId) ? prompt[nodeId]?.inputs : undefined;
  if (inputs === undefined || !canBeNamed(inputName) || !Object.hasOwn(inputs, inputName)) return false;
  const value = inputs[inputName];
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function withMarks(node: ApiNode, marks: AddedMarks | undefined): ApiNode {
  if (marks === undefined || (marks.names.length === 0 && !marks.output)) return node;
  const names = marks.names.filter(fitsInList);
  return {
    ...node,
    _meta: {
      ...node._meta,
      ...(names.length > 0 && { apiinput: names.join(',') }),
      ...(marks.descimages.size > 0 && { descimage: [...marks.descimages] }),
      ...((marks.inputs.length > 0 || marks.output) && {
        bridge: { v: 1, inputs: marks.inputs, ...(marks.output && { output: true }) },
      }),
    },
  };
}

/** Of a node, read but once: it may have many marks. */
function createDescimages(): (node: NodeLike) => readonly string[] {
  const known = new Map<NodeLike, readonly string[]>();
  return (node) => {
    const found = known.get(node) ?? readMarks(node).descimages ?? [];
    known.set(node, found);
    return found;
  };
}

/**
 * A copy without numbers beyond 2^53: a file holds them with other digits than were meant, so the bridge takes none in a
 * mark. A limit that high is the seed's own anyway.
 */
function copy({ min, max, step, options, ...mark }: Omit<InputMark, 'label'>): Omit<InputMark, 'label'> {
  const exact = options?.filter((option) => typeof option !== 'number' || isExact(option)) ?? [];
  return {
    ...mark,
    ...(isExact(min) && { min }),
    ...(isExact(max) && { max }),
    ...(isExact(step) && { step }),
    ...(exact.length > 0 && { options: exact }),
  };
}

function isExact(value: number | undefined): value is number {
  return value !== undefined && (!Number.isInteger(value) || Number.isSafeInteger(value));
}
