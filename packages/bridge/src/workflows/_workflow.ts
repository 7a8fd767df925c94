import type { InputMark } from '@comfy-bridge/protocol';

import type { NodeInputSpec } from '../comfy/object-info.ts';
import type { FindDefinition } from './inputs/input-spec.ts';
import { parseWorkflow } from './catalog/parse-workflow.ts';
import type { PublishedWorkflow } from './catalog/published-workflow.ts';

export interface MadeInput {
  value: unknown;
  mark?: Omit<InputMark, 'name'>;
  /** How the fleet defines it; without it, no machine is known to have the class. */
  spec?: Omit<NodeInputSpec, 'required'>;
}

/** A workflow for tests with one node for each input, `<number from 1>/<input name>`, as it comes out of a file. */
export function makeWorkflow(inputs: readonly (readonly [name: string, input: MadeInput])[]): {
  workflow: PublishedWorkflow;
  findDefinition: FindDefinition;
} {
  const nodes = inputs.map(([name, { value, mark }], index) => [
    String(index + 1),
    {
      class_type: `Class${index + 1}`,
      inputs: { [name]: value },
      _meta: { title: `Node ${index + 1}`, bridge: { v: 1, inputs: [{ name, ...mark }] } },
    },
  ]);
  const parsed = parseWorkflow({ fileName: 'made.json', text: JSON.stringify(Object.fromEntries(nodes)) });
  if (!parsed.ok) throw new Error(parsed.problem);
  const specs = new Map(inputs.map(([name, { spec }], index) => [`Class${index + 1}`, { name, spec }]));
  return {
    workflow: parsed.workflow,
    findDefinition(classType) {
      const found = specs.get(classType);
      if (found?.spec === undefined) return undefined;
      return {
        classType,
        displayName: classType,
        inputs: new Map([[found.name, { required: true, ...found.spec }]]),
        outputNode: false,
        outputs: [],
      };
    },
  };
}

/** As `makeWorkflow`, for tests in which only the labels count: `[input name, label]`. */
export function makeLabelled(
  inputs: readonly (readonly [name: string, label?: string])[],
): PublishedWorkflow {
  return makeWorkflow(
    inputs.map(
      ([name, label]) => [name, { value: 'x', mark: label === undefined ? {} : { label } }] as const,
    ),
  ).workflow;
}
