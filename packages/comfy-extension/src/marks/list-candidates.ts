import type { NodeLike, WidgetLike } from './graph-types.ts';
import type { MarkProblem } from './mark-entry.ts';
import { fitsInList, isExportedWidget } from './mark-problems.ts';
import { resolveTargets } from './resolve-targets.ts';
import { isLinked } from './input-links.ts';
import { readMarks } from './stored-marks.ts';
import { isSubgraphNode, isUnknownNode, placeIn } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/** A widget that an author may mark. */
export interface Candidate {
  name: string;
  /** As the editor shows it. */
  label: string;
  /** The widget's own: `number`, `combo`, `customtext`, … Empty without a widget. */
  type: string;
  value: unknown;
  marked: boolean;
  /** Why a mark on it would not work; undefined when it would. `no-name`: it cannot be marked at all. */
  whyNot: MarkProblem | 'no-name' | undefined;
}

/**
 * The widgets of a node, in its order, and marks without a widget after them. What stands outside the node's own graph
 * (a subgraph that is muted or linked) is not seen here, but by `collectMarks`.
 */
export function listCandidates(node: NodeLike): Candidate[] {
  const place = placeIn(node.graph ?? {}, undefined, node);
  const marked = new Set(readMarks(node).inputs.map(({ name }) => name));
  const widgets = node.widgets ?? [];
  const candidates = widgets.map((widget): Candidate => {
    const name = typeof widget.name === 'string' ? widget.name : '';
    const shown = { name, label: widget.label || name, type: widget.type ?? '', value: widget.value };
    return { ...shown, marked: marked.has(name), whyNot: whyNot(place, widget, name) };
  });
  const shown = new Set(candidates.map(({ name }) => name));
  const lost = [...marked].filter((name) => !shown.has(name));
  return [
    ...candidates,
    ...lost.map((name): Candidate => ({
      name,
      label: name,
      type: '',
      value: undefined,
      marked: true,
      whyNot: isLinked(place, name) ? 'linked' : isUnknownNode(node) ? 'unknown-node' : 'no-such-widget',
    })),
  ];
}

function whyNot(place: Place, widget: WidgetLike, name: string): Candidate['whyNot'] {
  const { node } = place;
  if (name === '') return 'no-name';
  if (isUnknownNode(node)) return 'unknown-node';
  const targets = resolveTargets(place, name);
  if (targets.length === 0 || !isExportedWidget(widget)) return 'not-exported';
  if (node.isVirtualNode === true && !isSubgraphNode(node)) return 'not-exported';
  if (isLinked(place, name)) return 'linked';
  return targets.some(({ inputName }) => fitsInList(inputName)) ? undefined : 'odd-name';
}
