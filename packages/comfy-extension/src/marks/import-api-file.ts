import type { InputMark } from '@comfy-bridge/protocol';

import { findHolder, indexHolders } from './find-holder.ts';
import type { GraphLike } from './graph-types.ts';
import { startImport } from './import-report.ts';
import type { ImportReport } from './import-report.ts';
import { isRecord } from './is-record.ts';
import { parseMark } from './parse-mark.ts';
import { parseDescimages, readMarks, writeMarks } from './stored-marks.ts';
import { classOf } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/**
 * Takes the marks of an API file (text or parsed), the original's `apiinput` too, into the graph's nodes of the same ids. What
 * fits no node of the graph is left and told.
 */
export function importFromApiFile(json: unknown, rootGraph: GraphLike): ImportReport {
  const into = startImport(rootGraph);
  const file = parseFile(json);
  if (file === undefined) {
    into.leave('', 'unreadable');
    return into.report;
  }
  const index = indexHolders(rootGraph);
  const marked = file.flatMap(([nodeId, node]) => readNode(nodeId, node));
  for (const { nodeId, classType, mark } of marked.sort(byOrder)) {
    const key = `${nodeId}/${mark.name}`;
    const place = index.byPath.get(nodeId);
    const holder = place && findHolder(index, place, mark.name);
    if (place === undefined) into.leave(key, 'no-such-node');
    else if (!isOfClass(place, classType)) into.leave(key, 'other-class');
    else if (holder === undefined) into.leave(key, 'no-such-widget');
    else into.take(holder, mark);
  }
  for (const [nodeId, { _meta: meta, class_type: classType }] of file) {
    if (!isRecord(meta)) continue;
    const place = index.byPath.get(nodeId);
    const isSame = place !== undefined && isOfClass(place, classType);
    if (isRecord(meta['bridge']) && meta['bridge']['output'] === true) {
      if (isSame) into.takeOutput(place.node);
      else into.leave(nodeId, place === undefined ? 'no-such-node' : 'other-class');
    }
    const descimages = parseDescimages(meta['descimage']);
    if (isSame && descimages.length > 0) writeMarks(place.node, { ...readMarks(place.node), descimages });
  }
  return into.report;
}

type RawNode = [nodeId: string, node: Record<string, unknown>];

function parseFile(json: unknown): RawNode[] | undefined {
  let file = json;
  if (typeof json === 'string') {
    try {
      file = JSON.parse(json.replace(/^\uFEFF/, ''));
    } catch {
      return undefined;
    }
  }
  if (!isRecord(file) || Array.isArray(file['nodes'])) return undefined;
  return Object.entries(file).filter((entry): entry is RawNode => isRecord(entry[1]));
}

interface ReadInput {
  nodeId: string;
  classType: unknown;
  mark: InputMark;
}

/** As the bridge reads them: names of `apiinput` first, then those that only `bridge` has; `bridge` says more. */
function readNode(nodeId: string, { class_type: classType, _meta: meta }: RawNode[1]): ReadInput[] {
  if (!isRecord(meta)) return [];
  const byName = new Map<string, InputMark>();
  const { apiinput, bridge } = meta;
  for (const name of typeof apiinput === 'string' ? apiinput.split(',') : [])
    if (name.trim() !== '') byName.set(name.trim(), { name: name.trim() });
  const inputs: unknown = isRecord(bridge) && bridge['v'] === 1 ? bridge['inputs'] : [];
  for (const raw of Array.isArray(inputs) ? inputs : []) {
    const mark = parseMark(raw);
    if (mark !== undefined) byName.set(mark.name, mark);
  }
  return [...byName.values()].map((mark) => ({ nodeId, classType, mark }));
}

function byOrder(a: ReadInput, b: ReadInput): number {
  return (a.mark.order ?? Infinity) - (b.mark.order ?? Infinity) || 0;
}

function isOfClass({ node }: Place, classType: unknown): boolean {
  return typeof classType !== 'string' || classType === classOf(node);
}
