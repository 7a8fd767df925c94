import type { NodeDefinition, NodeInputSpec } from '../comfy/object-info.ts';
import { uniteOptions } from '../comfy/option-list.ts';
import type { Options } from '../comfy/option-list.ts';

/**
 * One definition of a node class for the whole fleet: the first backend's, with the options of all of them. A model that
 * one machine has is a valid choice, whoever is asked. Backends that offer the same share the objects that say so, so that a
 * thousand of them cost no more than what differs; the first one's own comes back where nothing does.
 */
export function mergeDefinitions(definitions: Iterable<NodeDefinition>): NodeDefinition | undefined {
  const [first, ...others] = new Set(definitions);
  if (first === undefined || others.length === 0) return first;
  const inputs = new Map<string, NodeInputSpec>();
  for (const [name, spec] of first.inputs) inputs.set(name, mergeInput(name, spec, others));
  const isSame = [...inputs].every(([name, spec]) => spec === first.inputs.get(name));
  return isSame ? first : { ...first, inputs };
}

function mergeInput(name: string, spec: NodeInputSpec, others: readonly NodeDefinition[]): NodeInputSpec {
  if (spec.options === undefined) return spec;
  const lists = new Set<Options>([spec.options]);
  for (const { inputs } of others) {
    const options = inputs.get(name)?.options;
    if (options !== undefined) lists.add(options);
  }
  return lists.size === 1 ? spec : { ...spec, options: uniteOptions(lists) };
}
