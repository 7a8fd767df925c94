import { isRecord } from '../../lib/is-record.ts';
import type { UiNode, UiScope, UiWorkflow } from '../convert-ui/ui-graph.ts';

/** An input of a node that a machine runs. */
export interface InnerInput {
  /** The ids on the way to its node, joined with `:`. */
  id: string;
  inputName: string;
}

const most = { depth: 20, inputs: 1_000 };

/** The inner inputs that a widget sets which a subgraph's node shows; of another node, the widget itself. */
export function followPromoted(workflow: UiWorkflow, node: UiNode, id: string, name: string): InnerInput[] {
  const found: InnerInput[] = [];
  function follow(at: UiNode, atId: string, widgetName: string, depth: number): void {
    if (depth > most.depth || found.length >= most.inputs) return;
    const inside = workflow.subgraphs.get(at.type);
    if (inside === undefined) {
      found.push({ id: atId, inputName: widgetName });
      return;
    }
    const linked = linkedWidgets(inside, widgetName);
    for (const [inner, innerName] of linked.length > 0 ? linked : shownWidgets(at, inside, widgetName))
      follow(inner, `${atId}:${inner.id}`, innerName, depth + 1);
  }
  follow(node, id, name, 0);
  return found;
}

type InnerWidget = [node: UiNode, widgetName: string];

/** What an input of the subgraph is linked to inside. */
function linkedWidgets(inside: UiScope, name: string): InnerWidget[] {
  const boundary = inside.inputs.find((slot) => slot.name === name);
  return (boundary?.links ?? []).flatMap((linkId): InnerWidget[] => {
    const node = inside.nodes.get(inside.links.get(linkId)?.targetId ?? '');
    const input = node?.inputs.find(({ link }) => link === linkId);
    return node === undefined || input === undefined ? [] : [[node, input.widget ?? input.name]];
  });
}

/** Widgets that are shown outside only: `proxyWidgets` names them, `[inner node id, widget name]`. */
function shownWidgets({ properties }: UiNode, inside: UiScope, name: string): InnerWidget[] {
  for (const proxy of parseProxies(properties['proxyWidgets'])) {
    const [id, shown]: unknown[] = Array.isArray(proxy) ? proxy : [];
    const node = inside.nodes.get(String(id));
    if (node === undefined || typeof shown !== 'string') continue;
    if (name === shown || name === `${String(id)}: ${shown}`) return [[node, shown]];
  }
  return [];
}

function parseProxies(raw: unknown): unknown[] {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== 'string') return [];
  try {
    const parsed: unknown = JSON.parse(raw);
    return Array.isArray(parsed) ? parsed : isRecord(parsed) ? Object.values(parsed) : [];
  } catch {
    return [];
  }
}
