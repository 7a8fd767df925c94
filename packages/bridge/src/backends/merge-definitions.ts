import type { NodeDefinition, NodeInputSpec } from '../comfy/object-info.ts';

/**
 * One definition of a node class for the whole fleet: the first backend's, with the options of all of them. A model that
 * one machine has is a valid choice, whoever is asked.
 */
export function mergeDefinitions(definitions: readonly NodeDefinition[]): NodeDefinition | undefined {
  const [first, ...others] = definitions;
  if (first === undefined || others.length === 0) return first;
  const inputs = new Map<string, NodeInputSpec>();
  for (const [name, spec] of first.inputs) {
    const specs = [
      spec,
      ...others.map((definition) => definition.inputs.get(name)).filter((other) => other !== undefined),
    ];
    inputs.set(name, spec.options === undefined ? spec : { ...spec, options: unionOf(specs) });
  }
  return { ...first, inputs };
}

function unionOf(specs: readonly NodeInputSpec[]): NonNullable<NodeInputSpec['options']> {
  return [...new Set(specs.flatMap(({ options }) => options ?? []))];
}
