import { apiNodeSchema } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/protocol';

import { isRecord } from '../../lib/is-record.ts';
import { quote } from '../quote.ts';

/** What is wrong with one input of a node; `reason` is ComfyUI's own word where it has one. */
export interface NodeProblem {
  /** The input; `class_type` for the node itself. */
  field: string;
  reason: string;
  message: string;
}

/** `message` is fit for the caller and names the first problems. */
export interface InvalidGraph {
  ok: false;
  message: string;
  nodeErrors: Record<string, NodeProblem[]>;
}

const maxNodes = 10_000;

/** Reads a caller's graph in API format. Of `_meta` only the titles are kept: the rest would end up in every saved picture. */
export function parseGraph(graph: unknown): { ok: true; prompt: ApiPrompt } | InvalidGraph {
  if (!isRecord(graph)) return refuse('the workflow is not a JSON object of nodes');
  const entries = Object.entries(graph);
  if (entries.length === 0) return refuse('the workflow has no nodes');
  if (entries.length > maxNodes) return refuse(`the workflow has more than ${maxNodes} nodes`);
  const prompt: ApiPrompt = {};
  for (const [nodeId, value] of entries) {
    const node = apiNodeSchema.safeParse(value);
    // As a plain object's key this name would set the prototype instead.
    if (!node.success || nodeId === '' || nodeId === '__proto__') return notANode(nodeId);
    const { class_type, inputs, _meta } = node.data;
    prompt[nodeId] = {
      class_type,
      inputs,
      ...(_meta?.title !== undefined && { _meta: { title: _meta.title } }),
    };
  }
  return { ok: true, prompt };
}

function refuse(message: string): InvalidGraph {
  return { ok: false, message, nodeErrors: {} };
}

function notANode(nodeId: string): InvalidGraph {
  const message = `Node ${quote(nodeId)}: it is not a node: {"class_type": "…", "inputs": {…}} is expected`;
  const problem = { field: 'class_type', reason: 'invalid_node', message };
  return { ok: false, message, nodeErrors: { [nodeId.slice(0, 60)]: [problem] } };
}
