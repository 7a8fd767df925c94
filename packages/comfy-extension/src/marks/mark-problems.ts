import type { WidgetLike } from './graph-types.ts';
import { isLinked, slotOf } from './input-links.ts';
import type { MarkProblem } from './mark-entry.ts';
import { findWidget } from './resolve-targets.ts';
import type { PlacedInput } from './resolve-targets.ts';
import { isSubgraphNode, isUnknownNode } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

const modes = { muted: 2, bypassed: 4 };

/** Of the node itself, else of the subgraph around it. */
export function modeProblem(place: Place): MarkProblem | undefined {
  for (let at: Place | undefined = place; at !== undefined; at = at.host) {
    if (at.node.mode === modes.muted) return 'muted';
    if (at.node.mode === modes.bypassed) return 'bypassed';
  }
  return undefined;
}

/** Why a caller could not set that input; none when one could. */
export function inputProblems({ place, inputName }: PlacedInput): MarkProblem[] {
  const problems: MarkProblem[] = [];
  const mode = modeProblem(place);
  if (mode !== undefined) problems.push(mode);
  const widget = findWidget(place.node, inputName);
  const linked = isLinked(place, inputName);
  if (linked) problems.push('linked');
  else if (isUnknownNode(place.node)) problems.push('unknown-node');
  else if (widget === undefined)
    problems.push(slotOf(place.node, inputName) < 0 ? 'no-such-widget' : 'not-exported');
  if (widget !== undefined && !isExported(place, widget)) problems.push('not-exported');
  return problems;
}

function isExported({ node }: Place, widget: WidgetLike): boolean {
  if (node.isVirtualNode === true && !isSubgraphNode(node)) return false;
  return isExportedWidget(widget);
}

/** Whether the editor writes the widget into the API format, as a plain value. */
export function isExportedWidget({ type, value, options }: WidgetLike): boolean {
  return options?.serialize !== false && type !== 'button' && (typeof value !== 'object' || value === null);
}

/** A key is split at its last `/`, so an input's name cannot have one. */
export function canBeNamed(inputName: string): boolean {
  return inputName !== '' && inputName !== '__proto__' && !inputName.includes('/');
}

/** Whether the original's list of names can hold it. */
export function fitsInList(inputName: string): boolean {
  return canBeNamed(inputName) && !inputName.includes(',') && inputName.trim() === inputName;
}
