import { nodeMarksSchema } from '@comfy-bridge/protocol';
import type { ApiPrompt, NodeMarks } from '@comfy-bridge/protocol';

import { isRecord } from '../../lib/is-record.ts';

/**
 * Adds the marks that a workflow as the editor saves it holds in `properties.apiInputs` of its nodes to the prompt that it was
 * converted to. Marks whose node is not in the prompt, those within subgraphs among them, are told: the editor's own export has
 * them.
 */
export function carryMarks(
  workflow: Record<string, unknown>,
  prompt: ApiPrompt,
): { prompt: ApiPrompt; problems: string[] } {
  const marked: ApiPrompt = { ...prompt };
  const problems: string[] = [];
  for (const [id, marks] of listMarks(workflow)) {
    const node = marked[id];
    if (node === undefined || marks === undefined) {
      problems.push(
        `node "${id}": its marks were not taken over; publish what Export (API) writes, or mark it anew`,
      );
      continue;
    }
    const apiinput = marks.inputs.map(({ name }) => name).join(',');
    marked[id] = { ...node, _meta: { ...node._meta, ...(apiinput !== '' && { apiinput }), bridge: marks } };
  }
  return { prompt: marked, problems };
}

function listMarks(workflow: Record<string, unknown>): [id: string, marks: NodeMarks | undefined][] {
  const definitions = isRecord(workflow['definitions']) ? workflow['definitions']['subgraphs'] : undefined;
  const inner = (Array.isArray(definitions) ? definitions : []).flatMap((graph: unknown) =>
    isRecord(graph) ? readNodes(graph['nodes']).map(({ id }) => [`…:${id}`, undefined] as const) : [],
  );
  const outer = readNodes(workflow['nodes']).map(({ id, raw }) => {
    const parsed = nodeMarksSchema.safeParse(raw);
    return [id, parsed.success ? parsed.data : undefined] as const;
  });
  return [...outer, ...inner].map(([id, marks]) => [id, marks]);
}

/** Nodes with marks. */
function readNodes(nodes: unknown): { id: string; raw: unknown }[] {
  return (Array.isArray(nodes) ? nodes : []).flatMap((node: unknown) => {
    if (!isRecord(node) || !isRecord(node['properties'])) return [];
    const raw = node['properties']['apiInputs'];
    return raw === undefined || raw === null ? [] : [{ id: String(node['id']), raw }];
  });
}
