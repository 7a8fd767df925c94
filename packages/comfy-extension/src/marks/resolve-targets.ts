import type { NodeLike, WidgetLike } from './graph-types.ts';
import { linksFromBoundary, slotOf } from './input-links.ts';
import { isRecord } from './is-record.ts';
import { findNode, isSubgraphNode, placeIn } from './walk-graph.ts';
import type { Place } from './walk-graph.ts';

/** An input of a node that a machine runs. */
export interface PlacedInput {
  place: Place;
  inputName: string;
}

const most = { depth: 20, inputs: 1_000 };

/** Where the value of a widget lies in the API format: on an ordinary node there, for a promoted widget on inner nodes. */
export function resolveTargets(place: Place, widgetName: string): PlacedInput[] {
  const found: PlacedInput[] = [];
  follow(place, widgetName, 0, found);
  return found;
}

function follow(place: Place, name: string, depth: number, found: PlacedInput[]): void {
  const { node } = place;
  if (depth > most.depth || found.length >= most.inputs) return;
  if (!isSubgraphNode(node)) {
    found.push({ place, inputName: name });
    return;
  }
  const bound = boundInputs(node, name);
  for (const [inner, innerName] of bound.length > 0 ? bound : shownInputs(node, name))
    follow(placeIn(node.subgraph, place, inner), innerName, depth + 1, found);
}

type Inner = [node: NodeLike, widgetName: string];

export function findWidget(node: NodeLike, name: string): WidgetLike | undefined {
  return node.widgets?.find((widget) => widget.name === name);
}

/** A promoted widget that is an input of the subgraph: what the input is linked to inside. */
function boundInputs(host: NodeLike, name: string): Inner[] {
  const slot = slotOf(host, name);
  if (slot < 0) return [];
  const resolved = resolveLinks(host, slot);
  return resolved.length > 0 ? resolved : scanLinks(host, slot);
}

function resolveLinks(host: NodeLike, slot: number): Inner[] {
  let connections: readonly unknown[] = [];
  try {
    connections = host.resolveSubgraphInputLinks?.(slot) ?? [];
  } catch {
    // A subgraph that is being changed: its links are looked through instead.
  }
  return connections.flatMap((connection): Inner[] => {
    if (!isRecord(connection)) return [];
    const node = parseNode(connection['inputNode']);
    const name = slotWidget(connection['input']);
    return node === undefined || name === undefined ? [] : [[node, name]];
  });
}

function parseNode(raw: unknown): NodeLike | undefined {
  return isRecord(raw) && 'id' in raw ? (raw as unknown as NodeLike) : undefined;
}

function slotWidget(slot: unknown): string | undefined {
  if (!isRecord(slot)) return undefined;
  const bound = isRecord(slot['widget']) ? slot['widget']['name'] : undefined;
  const name = bound ?? slot['name'];
  return typeof name === 'string' ? name : undefined;
}

function scanLinks(host: NodeLike, slot: number): Inner[] {
  const { subgraph } = host;
  if (subgraph === undefined) return [];
  return linksFromBoundary(subgraph, slot).flatMap((link): Inner[] => {
    const node = findNode(subgraph, link.target_id ?? '');
    const name = slotWidget(node?.inputs?.[link.target_slot ?? -1]);
    return node === undefined || name === undefined ? [] : [[node, name]];
  });
}

/**
 * A promoted widget that only shows one of an inner node, as editors before subgraph inputs took them all did: they say
 * which in the widget, or in the `proxyWidgets` property (`[inner node id, widget name]`, also as JSON text).
 */
function shownInputs(host: NodeLike, name: string): Inner[] {
  const { subgraph } = host;
  if (subgraph === undefined) return [];
  const widget = findWidget(host, name);
  const source =
    sourceOf(widget) ?? listProxies(host).find(([id, shown]) => name === `${id}: ${shown}` || name === shown);
  if (source === undefined) return [];
  const node = findNode(subgraph, source[0]);
  return node === undefined ? [] : [[node, source[1]]];
}

function sourceOf(widget: WidgetLike | undefined): [id: string, widgetName: string] | undefined {
  if (widget === undefined) return undefined;
  const overlay: unknown = '_overlay' in widget ? widget._overlay : undefined;
  const [id, name] = isRecord(overlay)
    ? [overlay['nodeId'], overlay['widgetName']]
    : [widget.sourceNodeId, widget.sourceWidgetName];
  return parseSource(id, name);
}

function parseSource(id: unknown, name: unknown): [id: string, widgetName: string] | undefined {
  const isId = typeof id === 'string' || typeof id === 'number';
  return isId && typeof name === 'string' ? [String(id), name] : undefined;
}

function listProxies(host: NodeLike): [id: string, widgetName: string][] {
  let raw = host.properties?.['proxyWidgets'];
  if (typeof raw === 'string') {
    try {
      raw = JSON.parse(raw);
    } catch {
      return [];
    }
  }
  const proxies: unknown[] = Array.isArray(raw) ? raw : [];
  return proxies.flatMap((proxy): [string, string][] => {
    const source = Array.isArray(proxy) ? parseSource(proxy[0], proxy[1]) : undefined;
    return source === undefined ? [] : [source];
  });
}
