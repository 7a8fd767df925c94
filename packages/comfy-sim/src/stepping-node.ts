import type { ObjectInfo } from './object-info.ts';
import type { ApiPrompt, NodeId } from './wire.ts';

/** Whether a node class works in steps that its `steps` input counts. */
export function worksInSteps(classType: string): boolean {
  return /Sampler|TraceStep/.test(classType);
}

/** The node that a server would be busy with: the first that works in steps, else the first that is no output. */
export function busyNode(prompt: ApiPrompt, info: ObjectInfo): NodeId {
  const nodes = Object.keys(prompt);
  const classOf = (node: NodeId): string => prompt[node]?.class_type ?? '';
  const stepping = nodes.find((node) => worksInSteps(classOf(node)));
  return stepping ?? nodes.find((node) => !info[classOf(node)]?.output_node) ?? nodes[0] ?? '';
}
