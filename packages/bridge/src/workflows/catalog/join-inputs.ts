import { isLink, splitInputKey, type ApiPrompt } from '@comfy-bridge/protocol';

import type { ApiInput } from './published-workflow.ts';

/**
 * Leaves out the inputs that get their value with another one (`also` of its mark). What an `also` names and cannot be set is
 * a problem, and left out of the mark.
 */
export function joinInputs(
  inputs: readonly ApiInput[],
  prompt: ApiPrompt,
): { inputs: ApiInput[]; problems: string[] } {
  const leading = new Set<string>(inputs.filter(({ mark }) => mark.also !== undefined).map(({ key }) => key));
  const joined = new Set<string>();
  const problems: string[] = [];
  const read = inputs.map((input): ApiInput => {
    const { also = [], ...mark } = input.mark;
    const others = [...new Set(also)].filter((key) => key !== input.key);
    // One that sets others is set by none, and none is set by two: no circles, and one answer to who sets it.
    const found = others.filter((key) => isSettable(prompt, key) && !leading.has(key) && !joined.has(key));
    for (const key of found) joined.add(key);
    for (const key of others.filter((each) => !found.includes(each)))
      problems.push(`node "${input.nodeId}": input "${input.inputName}" cannot also set "${key}"`);
    return { ...input, mark: found.length > 0 ? { ...mark, also: found } : mark };
  });
  return { inputs: read.filter(({ key }) => !joined.has(key)), problems };
}

/** Whether the prompt has the input, and as a value of its own. */
function isSettable(prompt: ApiPrompt, key: string): boolean {
  const { nodeId = '', inputName = '' } = splitInputKey(key) ?? {};
  const inputs = Object.hasOwn(prompt, nodeId) ? prompt[nodeId]?.inputs : undefined;
  if (inputs === undefined || !Object.hasOwn(inputs, inputName)) return false;
  const value: unknown = inputs[inputName];
  return !isLink(value) && (typeof value !== 'object' || value === null);
}
