import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { NodeDefinitions } from '../comfy/object-info.ts';
import { findOption } from './options.ts';

/**
 * The prompt with its choices spelled as this backend lists them: ComfyUI compares texts, and a Windows machine lists
 * `sdxl\\base.safetensors` where a Linux one lists `sdxl/base.safetensors`. The same object when nothing had to change.
 */
export function toOwnSpelling(prompt: ApiPrompt, definitions: NodeDefinitions | undefined): ApiPrompt {
  let spelled = prompt;
  for (const [nodeId, node] of Object.entries(prompt)) {
    const inputs = definitions?.get(node.class_type)?.inputs;
    for (const [name, value] of Object.entries(node.inputs)) {
      if (!mayDiffer(value)) continue;
      const options = inputs?.get(name)?.options;
      const own = options === undefined ? undefined : findOption(options, value);
      if (own === undefined || own === value) continue;
      if (spelled === prompt) spelled = { ...prompt };
      const before = spelled[nodeId] ?? node;
      spelled[nodeId] = { ...before, inputs: { ...before.inputs, [name]: own } };
    }
  }
  return spelled;
}

/** Paths by their separators, numbers by being listed as texts; everything else is listed as it is, or not at all. */
function mayDiffer(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && /[\\/]/.test(value));
}
