import { isRecord } from '../../lib/is-record.ts';
import { isUiWorkflow } from './is-ui-workflow.ts';
import type { UiBoundary, UiInput, UiLink, UiNode, UiScope, UiWorkflow } from './ui-graph.ts';
import { short } from './ui-graph.ts';

type ReadWorkflow = { ok: true; workflow: UiWorkflow } | { ok: false; reasons: string[] };

/** Many times what people draw; whoever sends more would only keep the bridge busy. */
const most = { nodes: 10_000, links: 100_000, subgraphs: 1_000, slots: 1_000 };

/** Reads what the editor saved (format versions 0.4 and 1). Says everything that cannot be read. */
export function readUiWorkflow(value: unknown): ReadWorkflow {
  if (!isUiWorkflow(value))
    return {
      ok: false,
      reasons: ["it is not in the editor's format: save it there with Save or Export, and send that file"],
    };
  const reasons: string[] = [];
  const root = readScope(value, 'the workflow', reasons);
  const subgraphs = new Map<string, UiScope>();
  const definitions = isRecord(value['definitions']) ? value['definitions']['subgraphs'] : undefined;
  const listed: unknown[] = Array.isArray(definitions) ? definitions : [];
  if (listed.length > most.subgraphs)
    return { ok: false, reasons: [`it has more than ${most.subgraphs} subgraphs: make it smaller`] };
  for (const item of listed) {
    const id = isRecord(item) ? item['id'] : undefined;
    if (!isRecord(item) || typeof id !== 'string' || id === '' || subgraphs.has(id)) {
      reasons.push('a subgraph has no id of its own: open the file in the editor and save it again');
      continue;
    }
    const name = typeof item['name'] === 'string' && item['name'] !== '' ? item['name'] : id;
    if (isRecord(item['definitions']))
      reasons.push(
        `subgraph "${short(name)}" holds subgraphs of its own: open the file in the editor and save it again`,
      );
    subgraphs.set(id, readScope(item, `subgraph "${short(name)}"`, reasons));
  }
  return reasons.length > 0 ? { ok: false, reasons } : { ok: true, workflow: { root, subgraphs } };
}

function readScope(graph: Record<string, unknown>, name: string, reasons: string[]): UiScope {
  const again = 'open the file in the editor and save it again';
  const nodes = new Map<string, UiNode>();
  const rawNodes = toList(graph['nodes']);
  const rawLinks = toList(graph['links']);
  if (rawNodes.length > most.nodes)
    reasons.push(`${name} has more than ${most.nodes} nodes: make it smaller`);
  if (rawLinks.length > most.links)
    reasons.push(`${name} has more than ${most.links} links: make it smaller`);
  for (const item of rawNodes.slice(0, most.nodes)) {
    const node = readNode(item);
    if (node === undefined) reasons.push(`${name} has a node that cannot be read: ${again}`);
    else if (nodes.has(node.id))
      reasons.push(`${name} has two nodes with the id ${short(node.id)}: ${again}`);
    else nodes.set(node.id, node);
  }
  // What the editor cannot link, it drops.
  const asLists = graph['version'] === 0.4;
  if (rawLinks.some((item) => item !== null && Array.isArray(item) !== asLists))
    reasons.push(`${name} has links that are not written as its format version has them: ${again}`);
  const links = new Map<string, UiLink>();
  for (const item of rawLinks.slice(0, most.links)) {
    if (item === null) continue;
    const link = readLink(item);
    if (link === undefined) reasons.push(`${name} has a link that cannot be read: ${again}`);
    else links.set(link.id, link);
  }
  const [inputs, outputs] = [readBoundary(graph['inputs']), readBoundary(graph['outputs'])];
  if (inputs === undefined || outputs === undefined || hasTwice(inputs))
    reasons.push(`${name} has inputs or outputs that cannot be read: ${again}`);
  return { name, nodes, links, inputs: inputs ?? [], outputs: outputs ?? [] };
}

function readNode(item: unknown): UiNode | undefined {
  if (!isRecord(item)) return undefined;
  const id = toId(item['id']);
  const { type, title, mode = 0, widgets_values: values, widgets_values_named: namedValues } = item;
  const inputs = toList(item['inputs']).map(readInput);
  const outputs = toList(item['outputs']).map((output) => toType(isRecord(output) ? output['type'] : ''));
  const isReadable =
    id !== undefined &&
    !id.includes(':') &&
    id !== '__proto__' &&
    typeof type === 'string' &&
    typeof mode === 'number' &&
    inputs.length <= most.slots &&
    outputs.length <= most.slots;
  if (!isReadable) return undefined;
  const readable = inputs.filter((input) => input !== undefined);
  if (readable.length < inputs.length || hasTwice(readable)) return undefined;
  return {
    id,
    type,
    title: typeof title === 'string' ? title : '',
    mode,
    inputs: readable,
    outputs,
    values: Array.isArray(values) || isRecord(values) ? values : undefined,
    namedValues: isRecord(namedValues) ? namedValues : undefined,
    properties: isRecord(item['properties']) ? item['properties'] : {},
  };
}

function readInput(item: unknown): UiInput | undefined {
  if (!isRecord(item) || typeof item['name'] !== 'string') return undefined;
  const { name, link, widget } = item;
  const hasLink = link !== null && link !== undefined;
  const linkId = hasLink ? toId(link) : undefined;
  if (hasLink && linkId === undefined) return undefined;
  const widgetName = isRecord(widget) && typeof widget['name'] === 'string' ? widget['name'] : undefined;
  return { name, type: toType(item['type']), link: linkId, widget: widgetName };
}

function readLink(item: unknown): (UiLink & { id: string }) | undefined {
  const [rawId, rawOrigin, originSlot, rawTarget]: unknown[] = Array.isArray(item)
    ? item
    : isRecord(item)
      ? [item['id'], item['origin_id'], item['origin_slot'], item['target_id']]
      : [];
  const [id, originId, targetId] = [toId(rawId), toId(rawOrigin), toId(rawTarget)];
  if (id === undefined || originId === undefined || targetId === undefined) return undefined;
  if (typeof originSlot !== 'number' || !Number.isSafeInteger(originSlot) || originSlot < 0) return undefined;
  return { id, originId, originSlot, targetId };
}

/** Undefined when it is there and cannot be read. */
function readBoundary(slots: unknown): UiBoundary[] | undefined {
  const boundary: UiBoundary[] = [];
  const listed = toList(slots);
  if (listed.length > most.slots) return undefined;
  for (const slot of listed) {
    if (!isRecord(slot) || typeof slot['name'] !== 'string') return undefined;
    const links = toList(slot['linkIds']).map(toId);
    const known = links.filter((link) => link !== undefined);
    if (known.length < links.length) return undefined;
    boundary.push({ name: slot['name'], type: toType(slot['type']), links: known });
  }
  return boundary;
}

function hasTwice(items: readonly { name: string }[]): boolean {
  return new Set(items.map(({ name }) => name)).size < items.length;
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function toId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Of a slot. `0` and nothing mean any type, as `*` does. */
function toType(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' && value !== 0 ? String(value) : '*';
}
