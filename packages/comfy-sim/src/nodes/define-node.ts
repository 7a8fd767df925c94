import type { InputSpec, NodeDefinition } from '../wire.ts';

export interface NodeFacts {
  required?: Record<string, InputSpec>;
  optional?: Record<string, InputSpec>;
  hidden?: Record<string, string>;
  output?: string[];
  outputName?: string[];
  outputNode?: boolean;
  display?: string | null;
  module: string;
  category: string;
}

/** A node written in ComfyUI's older style: a choice is `[[values], options]`. */
export function defineNode(name: string, facts: NodeFacts): NodeDefinition {
  const { required, optional, hidden, output = [] } = facts;
  const groups = { required, optional, hidden };
  const input: NodeDefinition['input'] = {};
  const order: Record<string, string[]> = {};
  if (required) input.required = required;
  if (optional) input.optional = optional;
  if (hidden) input.hidden = hidden;
  for (const [group, inputs] of Object.entries(groups)) if (inputs) order[group] = Object.keys(inputs);
  return {
    input,
    input_order: order,
    output,
    output_is_list: output.map(() => false),
    output_name: facts.outputName ?? output,
    name,
    display_name: facts.display === undefined ? name : facts.display,
    description: '',
    python_module: facts.module,
    category: facts.category,
    output_node: facts.outputNode ?? false,
  };
}

/** A node written in the newer style: a choice is `['COMBO', { options }]`, every input carries options. */
export function defineSchemaNode(name: string, facts: NodeFacts): NodeDefinition {
  const base = defineNode(name, { display: null, ...facts });
  const { output_tooltips, ...rest } = { ...base, output_tooltips: base.output.map(() => null) };
  const flags = { deprecated: false, experimental: false, api_node: false };
  return base.output.length > 0 ? { ...rest, output_tooltips, ...flags } : { ...rest, ...flags };
}

export function int(
  fallback: number,
  min: number,
  max: number,
  more: Record<string, unknown> = {},
): InputSpec {
  return ['INT', { default: fallback, min, max, ...more }];
}

export function float(fallback: number, min: number, max: number, step?: number): InputSpec {
  return ['FLOAT', { default: fallback, min, max, ...(step === undefined ? {} : { step }) }];
}

export function combo(...options: string[]): InputSpec {
  return ['COMBO', { multiselect: false, options }];
}
