import type { GraphLike, LinkLike, NodeLike } from './graph-types.ts';
import { isRecord } from './is-record.ts';
import { findNode, isSubgraphNode } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/** The node id that stands for the input side of a subgraph's boundary. */
const boundaryId = '-10';

/** The slot of a widget that is an input as well; -1 when it has none. */
export function slotOf(node: NodeLike, widgetName: string): number {
  const inputs = node.inputs ?? [];
  const bound = inputs.findIndex((slot) => slot.widget?.name === widgetName);
  return bound >= 0 ? bound : inputs.findIndex((slot) => slot.name === widgetName);
}

/** Whether another node gives the value of a widget, seen through the boundaries of subgraphs. */
export function isLinked(place: Place, widgetName: string): boolean {
  return isSlotLinked(place, slotOf(place.node, widgetName), true);
}

function isSlotLinked(place: Place, slot: number, isDirect: boolean): boolean {
  const { node, graph, host } = place;
  if (!isConnected(node, slot)) return false;
  const link = linkInto(node, graph, slot);
  if (link === undefined) return true;
  if (String(link.origin_id) === boundaryId)
    return host !== undefined && isSlotLinked(host, link.origin_slot, false);
  // A primitive writes its value into the widget, which then is exported as any other.
  return !(isDirect && findNode(graph, link.origin_id)?.type === 'PrimitiveNode');
}

/** Whether a link ends at the slot, from wherever. */
export function isConnected(node: NodeLike, slot: number): boolean {
  const input = node.inputs?.[slot];
  if (input === undefined) return false;
  if (node.isInputConnected !== undefined) return node.isInputConnected(slot);
  return input.link !== undefined && input.link !== null;
}

function linkInto(node: NodeLike, graph: GraphLike, slot: number): LinkLike | undefined {
  const isPlain = !isSubgraphNode(node);
  if (isPlain && node.getInputLink !== undefined) return node.getInputLink(slot) ?? undefined;
  return listLinks(graph).find(
    (link) => String(link.target_id) === String(node.id) && link.target_slot === slot,
  );
}

/** The inner inputs that an input of a subgraph is linked to. */
export function linksFromBoundary(graph: GraphLike, slot: number): LinkLike[] {
  return listLinks(graph).filter(
    (link) => String(link.origin_id) === boundaryId && link.origin_slot === slot,
  );
}

function listLinks({ links }: GraphLike): LinkLike[] {
  const all: unknown[] =
    links instanceof Map ? [...links.values()] : isRecord(links) ? Object.values(links) : [];
  return all.filter((link): link is LinkLike => isRecord(link) && 'origin_id' in link);
}
