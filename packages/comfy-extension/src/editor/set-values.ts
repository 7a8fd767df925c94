import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { FormField } from '../marks/form-fields.ts';

/** The API format with a caller's values, by the keys of their fields. A new object; `prompt` stays as it is. */
export function setValues(
  prompt: ApiPrompt,
  fields: readonly Pick<FormField, 'key' | 'nodeId' | 'inputName'>[],
  values: ReadonlyMap<string, unknown>,
): ApiPrompt {
  const result = { ...prompt };
  for (const { key, nodeId, inputName } of fields) {
    const node = result[nodeId];
    if (node === undefined || !values.has(key)) continue;
    result[nodeId] = { ...node, inputs: { ...node.inputs, [inputName]: values.get(key) } };
  }
  return result;
}
