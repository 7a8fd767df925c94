import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { GraphLike, LinkLike, NodeLike, SlotLike, WidgetLike } from './graph-types.ts';
import { linksFromBoundary } from './input-links.ts';

/** Plain graphs for tests, in the shapes of the editor's. */

type Values = Record<string, unknown>;

export function makeWidget(name: string, value: unknown, more: Partial<WidgetLike> = {}): WidgetLike {
  const type = typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'toggle' : 'text';
  return { name, value, type, ...more };
}

/** A node whose widgets hold the values, each with an input slot of its own. */
export function makeNode(
  id: number | string,
  type: string,
  values: Values = {},
  more: Partial<NodeLike> = {},
): NodeLike {
  const names = Object.keys(values);
  return {
    id,
    type,
    comfyClass: type,
    mode: 0,
    properties: {},
    widgets: names.map((name) => makeWidget(name, values[name])),
    inputs: names.map((name): SlotLike => ({ name, link: null, widget: { name } })),
    ...more,
  };
}

export function makeGraph(nodes: NodeLike[], more: Partial<GraphLike> = {}): GraphLike {
  const graph: GraphLike = { nodes, links: new Map(), ...more };
  for (const node of nodes) node.graph = graph;
  return graph;
}

/** Links an output of a node, or of the boundary (`-10`), to a named input. */
export function link(graph: GraphLike, from: number, fromSlot: number, to: NodeLike, input: string): void {
  const links = graph.links as Map<number, LinkLike>;
  const id = links.size + 1;
  const slot = to.inputs!.findIndex(({ name }) => name === input);
  to.inputs![slot]!.link = id;
  links.set(id, { origin_id: from, origin_slot: fromSlot, target_id: to.id, target_slot: slot });
}

/**
 * An instance of a subgraph. `promoted`: its widgets, each with the inner inputs that it sets; the links inside are made once
 * for the first instance.
 */
export function makeInstance(
  id: number,
  subgraph: GraphLike,
  promoted: Record<string, readonly (readonly [node: NodeLike, input: string])[]>,
  values: Values = {},
): NodeLike {
  const names = Object.keys(promoted);
  const host: NodeLike = {
    ...makeNode(
      id,
      subgraph.id ?? 'subgraph',
      Object.fromEntries(names.map((name) => [name, values[name] ?? 'outer'])),
    ),
    isVirtualNode: true,
    isSubgraphNode: () => true,
    subgraph,
    resolveSubgraphInputLinks: (slot) =>
      linksFromBoundary(subgraph, slot).map((each) => {
        const inputNode = subgraph.nodes?.find((node) => node.id === each.target_id);
        return { link: each, inputNode, input: inputNode?.inputs?.[each.target_slot ?? -1] };
      }),
  };
  delete host.comfyClass;
  for (const [slot, name] of names.entries())
    for (const [node, input] of promoted[name] ?? [])
      if (node.inputs?.find((each) => each.name === input)?.link === null)
        link(subgraph, -10, slot, node, input);
  return host;
}

/** What the editor exports of the plain nodes of a graph without links: for tests of what is put into `_meta`. */
export function toPrompt(graph: GraphLike, prefix = ''): ApiPrompt {
  const prompt: ApiPrompt = {};
  for (const node of graph.nodes ?? []) {
    if (node.mode === 2 || node.mode === 4) continue;
    const path = `${prefix}${node.id}`;
    if (node.subgraph !== undefined) Object.assign(prompt, toPrompt(node.subgraph, `${path}:`));
    else
      prompt[path] = {
        class_type: node.type ?? '',
        inputs: Object.fromEntries((node.widgets ?? []).map(({ name, value }) => [name, value])),
        _meta: { title: node.title ?? node.type ?? '' },
      };
  }
  return prompt;
}
