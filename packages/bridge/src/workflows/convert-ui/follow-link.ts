import type { Budget } from './budget.ts';
import { isVirtual, refusalOf } from './node-kind.ts';
import { nameOf, setterName } from './place-nodes.ts';
import type { PlacedNode, Slot } from './place-nodes.ts';
import { boundaryIds, modes, short } from './ui-graph.ts';

/** What a linked input is given in the end. */
export type LinkEnd =
  | { kind: 'node'; id: string; slot: number }
  /** Nothing is linked there outside: the value of a subgraph's own widget, if it has one. */
  | { kind: 'widget'; host: PlacedNode; slot: number }
  /** The value that a primitive node gives. */
  | { kind: 'primitive'; node: PlacedNode; isDirect: boolean }
  /** The way ends without a node. */
  | { kind: 'none'; crossed: boolean; isMuted: boolean }
  | { kind: 'refused'; reason: string };

type Place =
  | { side: 'input'; node: PlacedNode; slot: number; type: string | undefined }
  | { side: 'output'; node: PlacedNode; slot: number; type: string };

/** Editors stop at a circle, and a way that long is one. */
const longestWay = 10_000;

/**
 * Follows the link of an input through what the editor resolves before it queues: subgraphs both ways, bypassed nodes (the
 * first input of a fitting type), reroutes and named links.
 */
export function followLink(node: PlacedNode, slot: number, budget: Budget): LinkEnd {
  let place: Place = { side: 'input', node, slot, type: undefined };
  let crossed = false;
  let rerouted = false;
  for (let steps = 0; steps < longestWay && budget.spend(1); steps += 1) {
    const next: Place | LinkEnd =
      place.side === 'input' ? throughInput(place, steps === 0) : throughOutput(place, budget);
    if ('kind' in next) {
      if (next.kind === 'none') return { ...next, crossed };
      return rerouted && next.kind === 'node' ? checkReroute(node, slot, place, next) : next;
    }
    rerouted ||= place.node.kind === 'reroute';
    crossed ||= next.node.graph !== place.node.graph;
    place = next;
  }
  return { kind: 'refused', reason: `${nameOf(node)}: its links run in a circle: take one of them away` };
}

/** The editor takes a link away when types on both sides of a reroute do not fit. */
function checkReroute(node: PlacedNode, slot: number, origin: Place, end: LinkEnd): LinkEnd {
  const [from, to] = [origin.node.outputs[origin.slot], node.inputs[slot]];
  if (from === undefined || to === undefined || fits(from, to.type)) return end;
  const reason = `${nameOf(node)}: its input "${short(to.name)}" takes ${short(to.type)}, and a reroute brings ${short(from)}: link another node`;
  return { kind: 'refused', reason };
}

const none: LinkEnd = { kind: 'none', crossed: false, isMuted: false };

function broken(node: PlacedNode, input: string): LinkEnd {
  const reason = `${nameOf(node)}: the link of its input "${short(input)}" leads nowhere: open the file in the editor, link it anew and save`;
  return { kind: 'refused', reason };
}

function throughInput(
  { node, slot, type }: Extract<Place, { side: 'input' }>,
  isFirst: boolean,
): Place | LinkEnd {
  const input = node.inputs[slot];
  if (input === undefined) return broken(node, String(slot));
  if (input.link === undefined) return none;
  const link = node.graph.scope.links.get(input.link);
  if (link === undefined || link.targetId !== node.node.id) return broken(node, input.name);
  if (link.originId === boundaryIds.input) {
    const { host } = node.graph;
    const outside = host?.inputs[link.originSlot];
    if (host === undefined || outside === undefined) return broken(node, input.name);
    return outside.link === undefined
      ? { kind: 'widget', host, slot: link.originSlot }
      : { side: 'input', node: host, slot: link.originSlot, type: undefined };
  }
  const origin = node.graph.nodes.get(link.originId);
  if (origin === undefined) return broken(node, input.name);
  if (origin.kind === 'primitive') return { kind: 'primitive', node: origin, isDirect: isFirst };
  return { side: 'output', node: origin, slot: link.originSlot, type: type ?? input.type };
}

function throughOutput(
  { node, slot, type }: Extract<Place, { side: 'output' }>,
  budget: Budget,
): Place | LinkEnd {
  if (node.node.mode === modes.muted) {
    // Editors differ: some pass it by.
    if (isVirtual(node.kind))
      return { kind: 'refused', reason: `${nameOf(node)} is muted and linked: unmute it, or take it away` };
    return { kind: 'none', crossed: false, isMuted: true };
  }
  if (node.node.mode === modes.bypassed) {
    const outputType = node.outputs[slot];
    if (outputType === undefined) return broken(node, `output ${slot}`);
    const index = bypassSlot(node.inputs, slot, outputType, type);
    if (index === undefined) return none;
    return { side: 'input', node, slot: index, type: undefined };
  }
  switch (node.kind) {
    case 'class':
      return { kind: 'node', id: node.id, slot };
    case 'subgraph':
      return intoSubgraph(node, slot, type, budget);
    case 'reroute':
    case 'setter':
      return { side: 'input', node, slot, type };
    case 'getter':
      return toSetter(node, type);
    default:
      return {
        kind: 'refused',
        reason: `${nameOf(node)} ${refusalOf(node.kind) ?? 'gives nothing that a machine could take: take its link away'}`,
      };
  }
}

function intoSubgraph(node: PlacedNode, slot: number, type: string, budget: Budget): Place | LinkEnd {
  const { inner } = node;
  const output = inner?.scope.outputs[slot];
  if (inner === undefined || output === undefined) return broken(node, `output ${slot}`);
  const id = output.links.find((each) => budget.spend(1) && inner.scope.links.has(each));
  const link = id === undefined ? undefined : inner.scope.links.get(id);
  if (link === undefined) return none;
  const origin = inner.nodes.get(link.originId);
  // From the boundary straight to the boundary: no editor resolves that.
  if (origin === undefined) return broken(node, output.name);
  if (origin.kind === 'primitive') return none;
  return { side: 'output', node: origin, slot: link.originSlot, type };
}

/** Its name is the only value of either half. */
function toSetter(getter: PlacedNode, type: string): Place | LinkEnd {
  const name = setterName(getter.node);
  const setters = (name !== undefined && getter.graph.setters.get(name)) || [];
  const [setter] = setters;
  if (setter === undefined || setters.length > 1 || setter.node.mode !== 0 || getter.node.mode !== 0)
    return {
      kind: 'refused',
      reason: `${nameOf(getter)} does not name exactly one active SetNode beside it: link the two nodes directly`,
    };
  return { side: 'input', node: setter, slot: 0, type };
}

/** The input that stands in for an output of a bypassed node, as the editor chooses it. */
function bypassSlot(
  inputs: readonly Slot[],
  slot: number,
  outputType: string,
  type: string,
): number | undefined {
  if (type === '*') return inputs.length > slot ? slot : 0;
  const opposite = inputs[slot];
  const matches = (input: Slot) => fits(input.type, outputType) && fits(input.type, type);
  if (opposite !== undefined && matches(opposite)) return slot;
  const exact = inputs.findIndex((input) => input.type === type);
  const index = exact >= 0 ? exact : inputs.findIndex(matches);
  return index < 0 ? undefined : index;
}

/** Types of two ends of a link: lists of names, `*` for any. */
function fits(a: string, b: string): boolean {
  if (a === '*' || b === '*' || a === b) return true;
  const others = new Set(b.toLowerCase().split(','));
  return a
    .toLowerCase()
    .split(',')
    .some((each) => each === '*' || each === '' || others.has(each) || others.has('*') || others.has(''));
}
