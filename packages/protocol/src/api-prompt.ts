import { z } from 'zod';

/**
 * A workflow as ComfyUI exports it with "Export (API)": node id to node. Ids of nodes inside subgraphs are paths joined
 * with `:` ("12:3"). An input is a literal, or a link `[nodeId, outputSlot]`.
 */
export const apiNodeSchema = z.looseObject({
  class_type: z.string().min(1),
  inputs: z.record(z.string(), z.unknown()).default({}),
  _meta: z.looseObject({ title: z.string().optional() }).optional(),
});

export const apiPromptSchema = z.record(z.string().min(1), apiNodeSchema);

export type ApiNode = z.infer<typeof apiNodeSchema>;
export type ApiPrompt = z.infer<typeof apiPromptSchema>;

/** The public name of an API input: `"<nodeId>/<inputName>"`, split at the last `/`. */
export type InputKey = `${string}/${string}`;

export function toInputKey(nodeId: string, inputName: string): InputKey {
  return `${nodeId}/${inputName}`;
}

/** Splits at the last `/`; undefined when either side would be empty. */
export function splitInputKey(key: string): { nodeId: string; inputName: string } | undefined {
  const at = key.lastIndexOf('/');
  if (at < 1 || at === key.length - 1) return undefined;
  return { nodeId: key.slice(0, at), inputName: key.slice(at + 1) };
}

/** True for `[nodeId, slot]`, the form in which one node's input takes another node's output. */
export function isLink(value: unknown): value is [string, number] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}
