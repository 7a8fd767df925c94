import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { FormField } from '../marks/form-fields.ts';

/** The API format with a caller's values, by the keys of their fields. A new object; `prompt` stays as it is. */
export function setValues(
  prompt: ApiPrompt,
  fields: readonly Pick<FormField, 'key' | 'nodeId' | 'inputName' | 'also'>[],
  values: ReadonlyMap<string, unknown>,
): ApiPrompt {
  const result = { ...prompt };
  for (const { key, nodeId, inputName, also } of fields) {
    if (!values.has(key)) continue;
    for (const each of [{ nodeId, inputName }, ...also]) {
      const node = result[each.nodeId];
      if (node === undefined) continue;
      result[each.nodeId] = { ...node, inputs: { ...node.inputs, [each.inputName]: values.get(key) } };
    }
  }
  return result;
}
