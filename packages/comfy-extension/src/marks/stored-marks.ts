import type { NodeMarks } from '@comfy-bridge/protocol';

import type { NodeLike } from './graph-types.ts';
import { isRecord } from './is-record.ts';
import { parseMark } from './parse-mark.ts';

/** The property of a node that its marks live in. The editor saves, copies and undoes properties. */
export const marksProperty = 'apiInputs';

/** What a node's property holds. */
export interface StoredMarks extends NodeMarks {
  /** File names in the bridge's folder of description images; they belong to the node. */
  descimages?: string[];
}

/** A node's marks, as a copy. Properties may hold anything: what cannot be read is as if it was not there. */
export function readMarks(node: NodeLike): StoredMarks {
  const stored = node.properties?.[marksProperty];
  const marks: StoredMarks = { v: 1, inputs: [] };
  if (!isRecord(stored) || stored['v'] !== 1) return marks;
  const byName = new Map<string, StoredMarks['inputs'][number]>();
  for (const raw of Array.isArray(stored['inputs']) ? stored['inputs'] : []) {
    const mark = parseMark(raw);
    if (mark !== undefined) byName.set(mark.name, mark);
  }
  marks.inputs = [...byName.values()];
  if (stored['output'] === true) marks.output = true;
  const descimages = parseDescimages(stored['descimages']);
  if (descimages.length > 0) marks.descimages = descimages;
  return marks;
}

/**
 * Puts a copy of the marks into the node's properties; nothing at all when there are none. Always a new object: copies of
 * a node may share the old one.
 */
export function writeMarks(node: NodeLike, marks: StoredMarks): void {
  const descimages = parseDescimages(marks.descimages);
  const hasAny = marks.inputs.length > 0 || marks.output === true || descimages.length > 0;
  if (!hasAny) {
    if (node.properties !== undefined) delete node.properties[marksProperty];
    return;
  }
  node.properties ??= {};
  node.properties[marksProperty] = {
    v: 1,
    inputs: marks.inputs.flatMap((mark) => parseMark(mark) ?? []),
    ...(marks.output === true && { output: true }),
    ...(descimages.length > 0 && { descimages }),
  };
}

/** File names without a folder: a text, or a list of them. */
export function parseDescimages(raw: unknown): string[] {
  const names: unknown[] = Array.isArray(raw) ? raw : [raw];
  return names.filter((name): name is string => typeof name === 'string' && isPlainFileName(name));
}

function isPlainFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\:\0]/.test(name) && name.length <= 255;
}
