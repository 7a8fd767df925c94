import type { NodeDefinition } from '../../comfy/object-info.ts';
import type { FindDefinition } from '../inputs/input-spec.ts';
import { kindOf } from './node-kind.ts';
import type { NodeKind } from './node-kind.ts';
import { isWidget } from './plan-widgets.ts';
import { nameNode } from './ui-graph.ts';
import type { UiInput, UiNode, UiScope, UiWorkflow } from './ui-graph.ts';

/** A node where it stands: subgraphs are unfolded, so a node inside one that is used twice is placed twice. */
export interface PlacedNode {
  /** As in the API format: the ids on the way to it, joined with ":". */
  id: string;
  kind: NodeKind;
  node: UiNode;
  graph: PlacedGraph;
  definition: NodeDefinition | undefined;
  inputs: readonly Slot[];
  /** Types. */
  outputs: readonly string[];
  /** The inside of a subgraph. */
  inner: PlacedGraph | undefined;
}

export interface Slot {
  name: string;
  type: string;
  link: string | undefined;
  /** Has a value of its own beside what is linked to it. */
  isWidget: boolean;
  /** The definition has it. */
  isDefined: boolean;
}

export interface PlacedGraph {
  scope: UiScope;
  nodes: ReadonlyMap<string, PlacedNode>;
  /** Under the names that they give to what is linked to them. */
  setters: ReadonlyMap<string, readonly PlacedNode[]>;
  /** The node that this graph is the inside of. */
  host: PlacedNode | undefined;
}

type Placed = { ok: true; root: PlacedGraph; nodes: readonly PlacedNode[] } | { ok: false; reason: string };

const most = { nodes: 10_000, depth: 20, slots: 200_000 };

/** Unfolds the subgraphs. `nodes`: all of them, those inside others included. */
export function placeNodes({ root, subgraphs }: UiWorkflow, findDefinition: FindDefinition): Placed {
  const placed: PlacedNode[] = [];
  let reason: string | undefined;
  let slots = 0;

  function placeGraph(
    scope: UiScope,
    host: PlacedNode | undefined,
    path: string,
    depth: number,
  ): PlacedGraph {
    const nodes = new Map<string, PlacedNode>();
    const setters = new Map<string, PlacedNode[]>();
    const graph: PlacedGraph = { scope, nodes, setters, host };
    if (depth > most.depth) reason ??= `its subgraphs lie more than ${most.depth} deep, or hold themselves`;
    for (const node of scope.nodes.values()) {
      if (placed.length >= most.nodes || slots > most.slots)
        reason ??= `it has more than ${most.nodes} nodes, those in subgraphs included: make it smaller`;
      if (reason !== undefined) break;
      const each = placeNode(node, graph, path, depth);
      nodes.set(node.id, each);
      slots += each.inputs.length;
      const name = each.kind === 'setter' ? setterName(node) : undefined;
      if (name !== undefined) setters.set(name, [...(setters.get(name) ?? []), each].slice(0, 2));
    }
    return graph;
  }

  function placeNode(node: UiNode, graph: PlacedGraph, path: string, depth: number): PlacedNode {
    const subgraph = subgraphs.get(node.type);
    const kind = subgraph === undefined ? kindOf(node.type) : 'subgraph';
    const definition = kind === 'class' ? findDefinition(classOf(node)) : undefined;
    const each: PlacedNode = {
      id: `${path}${node.id}`,
      kind,
      node,
      graph,
      definition,
      inputs: slotsOf(node, definition, subgraph),
      outputs: outputsOf(node, definition, subgraph),
      inner: undefined,
    };
    placed.push(each);
    if (subgraph !== undefined) each.inner = placeGraph(subgraph, each, `${each.id}:`, depth + 1);
    return each;
  }

  const graph = placeGraph(root, undefined, '', 0);
  return reason === undefined ? { ok: true, root: graph, nodes: placed } : { ok: false, reason };
}

/** Of both halves of a named link. */
export function setterName({ values }: UiNode): string | undefined {
  const name: unknown = Array.isArray(values) ? values[0] : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** As a reason names it. */
export function nameOf({ id, node, inner }: PlacedNode): string {
  return nameNode(id, { title: node.title, type: inner === undefined ? node.type : inner.scope.name });
}

/** Names that classes once had; the editor replaces them. */
const renamedClasses: ReadonlyMap<string, string> = new Map([
  ['T2IAdapterLoader', 'ControlNetLoader'],
  ['ConditioningAverage ', 'ConditioningAverage'],
  ['SDV_img2vid_Conditioning', 'SVD_img2vid_Conditioning'],
]);

function classOf({ type }: UiNode): string {
  return renamedClasses.get(type) ?? type;
}

/** The sockets in the editor's order: those of the definition, then those of its widgets, then others that the file has. */
function slotsOf(
  node: UiNode,
  definition: NodeDefinition | undefined,
  subgraph: UiScope | undefined,
): Slot[] {
  const saved = new Map(node.inputs.map((input) => [input.name, input]));
  if (subgraph !== undefined)
    return subgraph.inputs.map(({ name, type }) => ({
      name,
      type,
      link: saved.get(name)?.link,
      isWidget: false,
      isDefined: true,
    }));
  if (definition === undefined) return node.inputs.map((input) => toSlot(input));
  const defined = [...definition.inputs].map(([name, spec]): Slot => ({
    name,
    type: spec.type,
    link: saved.get(name)?.link,
    isWidget: isWidget(spec),
    isDefined: true,
  }));
  const others = node.inputs.filter(({ name }) => !definition.inputs.has(name));
  return [
    ...defined.filter((slot) => !slot.isWidget),
    ...defined.filter((slot) => slot.isWidget),
    ...others.map((input) => toSlot(input)),
  ];
}

function toSlot({ name, type, link, widget }: UiInput): Slot {
  return { name, type, link, isWidget: widget !== undefined, isDefined: false };
}

function outputsOf(
  node: UiNode,
  definition: NodeDefinition | undefined,
  subgraph: UiScope | undefined,
): readonly string[] {
  if (subgraph !== undefined) return subgraph.outputs.map(({ type }) => type);
  if (definition === undefined) return node.outputs;
  return [...definition.outputs, ...node.outputs.slice(definition.outputs.length)];
}
