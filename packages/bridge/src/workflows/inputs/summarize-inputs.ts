import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { PublishedWorkflow } from '../catalog/published-workflow.ts';
import { resolveInput } from './input-spec.ts';
import type { FindDefinition } from './input-spec.ts';

/** Characters of a summary. */
const maxLength = 120;
/** Where graphs of callers have what people write. */
const textInputs = ['text', 'prompt'];
/** Nodes of such a graph that are looked at. */
const maxNodes = 200;

/**
 * What tells jobs of one workflow apart in a list: how the first text begins that a person could write for it. Null where
 * there is none. `workflow`: as it is published; undefined for a graph of a caller's own.
 */
export function summarizeInputs(
  workflow: Pick<PublishedWorkflow, 'inputs'> | undefined,
  prompt: ApiPrompt,
  findDefinition: FindDefinition,
): string | null {
  const text =
    workflow === undefined ? firstOfGraph(prompt) : firstOfInputs(workflow, prompt, findDefinition);
  if (text === undefined) return null;
  const line = text
    .slice(0, 4 * maxLength)
    .replaceAll(/\s+/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= maxLength ? line : `${characters.slice(0, maxLength - 1).join('')}…`;
}

function firstOfInputs(
  { inputs }: Pick<PublishedWorkflow, 'inputs'>,
  prompt: ApiPrompt,
  findDefinition: FindDefinition,
): string | undefined {
  for (const input of inputs) {
    const value = prompt[input.nodeId]?.inputs[input.inputName];
    if (!isText(value)) continue;
    const { type, format, options } = resolveInput(input, findDefinition(input.classType));
    // Neither a file nor a choice says what the job is about.
    if (type === 'str' && format === undefined && options === undefined) return value;
  }
  return undefined;
}

function firstOfGraph(prompt: ApiPrompt): string | undefined {
  for (const { inputs } of Object.values(prompt).slice(0, maxNodes))
    for (const name of textInputs) {
      const value = inputs[name];
      if (isText(value)) return value;
    }
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
