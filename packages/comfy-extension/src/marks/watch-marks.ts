import { finishEntries, readPlace } from './collect-marks.ts';
import type { PlaceMarks } from './collect-marks.ts';
import type { GraphLike, NodeLike } from './graph-types.ts';
import { isRecord } from './is-record.ts';
import type { MarkEntry, OutputEntry } from './mark-entry.ts';
import { marksProperty } from './stored-marks.ts';
import { isSubgraphNode, listPlaces, nodesOf, titleOf } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

export interface MarkLook {
  entries: readonly MarkEntry[];
  outputs: readonly OutputEntry[];
  /** Another number whenever something of them is another. */
  revision: number;
}

interface Known extends PlaceMarks {
  stamp: readonly unknown[];
  /** Everything of it that can be seen. */
  text: string;
}

/** In how many idle looks everything is read anew. */
const idleLooks = 20;

/**
 * What `collectMarks` and `collectOutputs` give, for one who looks again and again: a node is read anew only where something
 * cheap to see is another (its marks, its mode, its title, the links, a subgraph around it). What cannot be seen cheaply, a
 * widget with another label, is found by reading a few of the nodes with marks at each idle look.
 */
export function watchMarks(): { look(rootGraph: GraphLike, options?: { isIdle?: boolean }): MarkLook } {
  let known = new Map<string, Known>();
  let around: readonly unknown[] = [];
  let last: MarkLook = { entries: [], outputs: [], revision: 0 };
  let turn = 0;
  return {
    look(rootGraph, { isIdle = false } = {}) {
      const places = listPlaces(rootGraph);
      const aroundNow = stampAround(rootGraph, places);
      const isAroundSame = isSame(around, aroundNow);
      around = aroundNow;
      if (isIdle) turn += 1;
      const now = new Map<string, Known>();
      let isChanged = false;
      for (const place of places) {
        const raw = place.node.properties?.[marksProperty];
        if (raw === undefined) continue;
        const before = known.get(place.path);
        const stamp = stampOf(place.node, raw);
        const isDue = isIdle && (now.size + turn) % idleLooks === 0;
        const isKept = isAroundSame && !isDue && before !== undefined && isSame(before.stamp, stamp);
        const found = isKept ? before : read(place, stamp);
        isChanged ||= found.text !== before?.text || found.stamp[0] !== before.stamp[0];
        now.set(place.path, found);
      }
      isChanged ||= now.size !== known.size;
      known = now;
      if (isChanged) last = { ...finish([...now.values()]), revision: last.revision + 1 };
      return last;
    },
  };
}

function read(place: Place, stamp: readonly unknown[]): Known {
  const { entries, output } = readPlace(place);
  const shown = entries.map(({ mark, problems, widget, targets }) => [
    mark,
    problems,
    widget?.label,
    targets.map(({ nodeId, inputName }) => [nodeId, inputName]),
  ]);
  return { entries, output, stamp, text: JSON.stringify([titleOf(place.node), shown, output?.problems]) };
}

function finish(found: readonly Known[]): Pick<MarkLook, 'entries' | 'outputs'> {
  return {
    // Copies: problems that two entries have with each other are added to them.
    entries: finishEntries(
      found.flatMap(({ entries }) => entries.map((entry) => ({ ...entry, problems: [...entry.problems] }))),
    ),
    outputs: found.flatMap(({ output }) => output ?? []),
  };
}

function stampOf(node: NodeLike, raw: unknown): unknown[] {
  return [node, raw, node.mode, node.title, node.widgets?.length];
}

/** What marks on other nodes depend on: links, and subgraphs around them or promoting their widgets. */
function stampAround(rootGraph: GraphLike, places: readonly Place[]): unknown[] {
  const stamp = stampLinks(rootGraph);
  for (const { node } of places) {
    if (!isSubgraphNode(node)) continue;
    stamp.push(node, node.mode, node.widgets?.length, node.inputs?.length, ...stampLinks(node.subgraph));
    for (const inner of nodesOf(node.subgraph)) stamp.push(inner.mode);
  }
  return stamp;
}

/** Their number, and the id of the newest: a link that replaces another is newer. */
function stampLinks({ links, state, last_link_id: lastId }: GraphLike): unknown[] {
  const count = links instanceof Map ? links.size : isRecord(links) ? Object.keys(links).length : 0;
  return [count, state?.lastLinkId ?? lastId];
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
