import { finishValue, wrapList } from './finish-value.ts';
import { followLink } from './follow-link.ts';
import type { LinkEnd } from './follow-link.ts';
import type { Input, NodeInputs, Sent } from './node-input.ts';
import { nameOf } from './place-nodes.ts';
import type { PlacedNode } from './place-nodes.ts';
import { editorOnly } from './plan-widgets.ts';
import { primitiveValue } from './primitive-value.ts';
import { shownField } from './shown-fields.ts';
import { short } from './ui-graph.ts';

type BuiltInputs = { ok: true; inputs: Record<string, unknown> } | { ok: false; reasons: string[] };

/** The inputs of a node of a known class in the API format. */
export function buildInputs({ node, widgets, budget }: NodeInputs): BuiltInputs {
  const reasons: string[] = [];
  const { values, problem } = widgets.of(node);
  if (problem !== undefined) reasons.push(`${nameOf(node)}: ${problem}`);
  const sent = new Map<string, unknown>();
  // The editor writes the values first, then the links, in the order of the sockets. What is no socket is sent as it is.
  for (const [name, value] of values) sent.set(name, value.ok ? value.value : undefined);
  for (const [at, slot] of node.inputs.entries()) {
    const title = `${nameOf(node)}: its input "${short(slot.name)}"`;
    const spec = node.definition?.inputs.get(slot.name);
    const outcome = sendInput({ node, widgets, budget, slot, spec, title }, at);
    if (!outcome.ok) reasons.push(outcome.reason);
    else if (outcome.value === undefined) sent.delete(slot.name);
    else sent.set(slot.name, outcome.value);
  }
  const shown = shownField(node.definition?.classType ?? '');
  if (shown !== undefined && !sent.has(shown)) sent.set(shown, '');
  return reasons.length > 0 ? { ok: false, reasons } : { ok: true, inputs: Object.fromEntries(sent) };
}

function sendInput(input: Input, at: number): Sent {
  const { node, slot, spec, title, budget } = input;
  if (!slot.isDefined && slot.isWidget && slot.link !== undefined)
    return refuse(
      `${title} is linked, and on the machines the node has none of that name: the machines have another version of this node`,
    );
  if (slot.link !== undefined) return sendEnd(followLink(node, at, budget), input);
  const why = spec === undefined ? undefined : editorOnly(spec);
  if (why !== undefined)
    return refuse(`${title} ${why}: export the workflow in the editor with Export (API)`);
  return ownValue(input);
}

function refuse(reason: string): Sent {
  return { ok: false, reason };
}

function sendEnd(end: LinkEnd, input: Input): Sent {
  const { spec, title } = input;
  switch (end.kind) {
    case 'node':
      return { ok: true, value: [end.id, end.slot] };
    case 'refused':
      return refuse(end.reason);
    case 'widget':
      return promotedValue(end.host, end.slot, input);
    case 'primitive': {
      if (!end.isDirect)
        return refuse(
          `${nameOf(end.node)} is linked through other nodes: link it to the input itself, or type its value there`,
        );
      const given = spec === undefined || !hasValue(input) ? undefined : primitiveValue(end.node, spec);
      if (given === undefined) return ownValue(input);
      return given.ok ? finishValue(given, input) : refuse(`${nameOf(end.node)} ${given.problem}`);
    }
    case 'none':
      if (!hasValue(input) || (!end.crossed && !end.isMuted)) return ownValue(input);
      return refuse(
        `${title} is linked to what is muted or gives nothing, where editors differ: take the link away, or unmute`,
      );
    default:
      return end satisfies never;
  }
}

/** As it stands in the subgraph's own widget: the editor changes nothing about it. */
function promotedValue(host: PlacedNode, slot: number, input: Input): Sent {
  const problem = input.widgets.hostProblem(host);
  if (problem !== undefined) return refuse(`${nameOf(host)}: ${problem}`);
  const promoted = input.widgets.promoted(host, slot);
  if (promoted === undefined) return ownValue(input);
  const { value } = promoted;
  return value.ok ? { ok: true, value: wrapList(value.value) } : refuse(`${input.title} ${value.problem}`);
}

/** A field beside its socket, in the definition too. */
function hasValue({ slot }: Input): boolean {
  return slot.isDefined && slot.isWidget;
}

/** Of the node's own field; nothing where it has none, or where its values cannot be read, which is told once. */
function ownValue(input: Input): Sent {
  const value = hasValue(input) ? input.widgets.of(input.node).values.get(input.slot.name) : undefined;
  return value === undefined ? { ok: true } : finishValue(value, input);
}
