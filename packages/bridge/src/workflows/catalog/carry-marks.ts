import {
  nodeMarksSchema,
  toInputKey,
  type ApiPrompt,
  type InputMark,
  type NodeMarks,
} from '@comfy-bridge/protocol';

import { readUiWorkflow } from '../convert-ui/read-ui-workflow.ts';
import type { UiNode, UiWorkflow } from '../convert-ui/ui-graph.ts';
import { followPromoted } from './follow-promoted.ts';

const most = { places: 10_000, depth: 20 };

/**
 * Adds the marks that a workflow as the editor saves it holds in `properties.apiInputs` of its nodes to the prompt that it was
 * converted to: those inside a subgraph at each place where it is used, one on a widget that a subgraph promotes on the inner
 * inputs that the widget sets. Marks whose node is not in the prompt are told: the editor's own export has them.
 */
export function carryMarks(
  workflow: Record<string, unknown>,
  prompt: ApiPrompt,
): { prompt: ApiPrompt; problems: string[] } {
  const read = readUiWorkflow(workflow);
  if (!read.ok) return { prompt, problems: [] };
  const carried = new Map<string, NodeMarks>();
  const problems: string[] = [];
  for (const place of listMarked(read.workflow)) {
    const parsed = nodeMarksSchema.safeParse(place.node.properties['apiInputs']);
    const found = parsed.success ? placeMarks(place, parsed.data, prompt) : [];
    if (!parsed.success || found === undefined)
      problems.push(
        `node "${place.id}": its marks were not taken over; publish what Export (API) writes, or mark it anew`,
      );
    for (const { id, inputs, output } of found ?? []) {
      const marks = carried.get(id) ?? { v: 1, inputs: [] };
      carried.set(id, {
        ...marks,
        inputs: [...marks.inputs, ...inputs],
        ...(output === true && { output }),
      });
    }
  }
  const marked: ApiPrompt = { ...prompt };
  for (const [id, marks] of carried) {
    const node = marked[id];
    if (node === undefined) continue;
    const apiinput = marks.inputs.map(({ name }) => name).join(',');
    marked[id] = { ...node, _meta: { ...node._meta, ...(apiinput !== '' && { apiinput }), bridge: marks } };
  }
  return { prompt: marked, problems };
}

interface MarkedPlace {
  workflow: UiWorkflow;
  node: UiNode;
  /** The ids on the way to it, joined with `:`. */
  id: string;
}

type PlacedMarks = Pick<NodeMarks, 'inputs' | 'output'> & { id: string };

/** Undefined: some of them have no place in the prompt. */
function placeMarks(place: MarkedPlace, marks: NodeMarks, prompt: ApiPrompt): PlacedMarks[] | undefined {
  const { workflow, node, id } = place;
  if (!workflow.subgraphs.has(node.type))
    return prompt[id] === undefined ? undefined : [{ id, inputs: marks.inputs, output: marks.output }];
  const placed = marks.inputs.flatMap((mark): PlacedMarks[] => {
    const [first, ...others] = followPromoted(workflow, node, id, mark.name).filter(
      (target) => prompt[target.id]?.inputs[target.inputName] !== undefined,
    );
    if (first === undefined) return [];
    return [{ id: first.id, inputs: [toInner(mark, first.inputName, others)], output: undefined }];
  });
  // Results of a subgraph are those of nodes inside it; marks that lead nowhere are told.
  return placed.length < marks.inputs.length || marks.output === true ? undefined : placed;
}

function toInner(
  { label, ...mark }: InputMark,
  inputName: string,
  others: readonly { id: string; inputName: string }[],
): InputMark {
  const shown = label ?? (inputName === mark.name ? undefined : mark.name);
  return {
    ...mark,
    name: inputName,
    ...(shown !== undefined && { label: shown }),
    ...(others.length > 0 && { also: others.map((each) => toInputKey(each.id, each.inputName)) }),
  };
}

/** Nodes with marks, at each place where they stand. */
function listMarked(workflow: UiWorkflow): MarkedPlace[] {
  const marked: MarkedPlace[] = [];
  let places = 0;
  function visit(nodes: Iterable<UiNode>, path: string, depth: number): void {
    for (const node of nodes) {
      places += 1;
      if (places > most.places) return;
      const id = `${path}${node.id}`;
      const raw = node.properties['apiInputs'];
      if (raw !== undefined && raw !== null) marked.push({ workflow, node, id });
      const inside = workflow.subgraphs.get(node.type);
      if (inside !== undefined && depth < most.depth) visit(inside.nodes.values(), `${id}:`, depth + 1);
    }
  }
  visit(workflow.root.nodes.values(), '', 0);
  return marked;
}
