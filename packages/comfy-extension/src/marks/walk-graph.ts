import type { GraphLike, NodeLike } from './graph-types.ts';

/** A node where it stands: one inside a subgraph that is used twice has two places. */
export interface Place {
  node: NodeLike;
  /** Its execution id: the ids on the way to it, joined with `:`. */
  path: string;
  graph: GraphLike;
  /** The instance of the subgraph that it is inside of. */
  host: Place | undefined;
}

const most = { places: 50_000, depth: 20 };

/** Every place of the workflow, an instance of a subgraph before what is inside it. Bounded, as subgraphs may hold themselves. */
export function listPlaces(rootGraph: GraphLike): Place[] {
  const places: Place[] = [];
  function visit(graph: GraphLike, host: Place | undefined, depth: number): void {
    for (const node of nodesOf(graph)) {
      if (places.length >= most.places) return;
      const place = placeIn(graph, host, node);
      places.push(place);
      if (depth < most.depth && isSubgraphNode(node)) visit(node.subgraph, place, depth + 1);
    }
  }
  visit(rootGraph, undefined, 0);
  return places;
}

export function placeIn(graph: GraphLike, host: Place | undefined, node: NodeLike): Place {
  const path = host === undefined ? String(node.id) : `${host.path}:${node.id}`;
  return { node, path, graph, host };
}

export function nodesOf(graph: GraphLike): readonly NodeLike[] {
  return graph.nodes ?? graph._nodes ?? [];
}

export function findNode(graph: GraphLike, id: number | string): NodeLike | undefined {
  return graph.getNodeById?.(id) ?? nodesOf(graph).find((node) => String(node.id) === String(id));
}

export function isSubgraphNode(node: NodeLike): node is NodeLike & { subgraph: GraphLike } {
  return node.isSubgraphNode?.() === true && node.subgraph !== undefined;
}

/** Of a class that is not installed here: the editor shows a placeholder, and does not know its widgets. */
export function isUnknownNode(node: NodeLike): boolean {
  return node.comfyClass === undefined && node.isVirtualNode !== true && !isSubgraphNode(node);
}

/** The class that a machine knows it by. */
export function classOf(node: NodeLike): string {
  return node.comfyClass ?? node.type ?? '';
}

/** As the API format names it. */
export function titleOf(node: NodeLike): string {
  return node.title || classOf(node);
}
