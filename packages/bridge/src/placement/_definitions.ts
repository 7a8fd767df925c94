import type { ApiPrompt } from '@comfy-bridge/protocol';

import { parseObjectInfo } from '../comfy/object-info.ts';
import type { NodeDefinitions } from '../comfy/object-info.ts';
import { compileNeeds } from './needs.ts';
import type { Needs } from './needs.ts';

/** Inputs of a class: a list of choices, or its description as ComfyUI gives it, `['INT', {}]`. */
type Inputs = Record<string, { v1: readonly unknown[] } | { spec: readonly unknown[] }>;

/** What a backend would say at `/object_info`. */
export function offering(classes: Record<string, Inputs>): NodeDefinitions {
  const described = Object.entries(classes).map(([classType, inputs]) => {
    const required = Object.entries(inputs).map(([name, input]) => [
      name,
      'v1' in input ? [input.v1, {}] : input.spec,
    ]);
    return [classType, { input: { required: Object.fromEntries(required) }, output: [] }];
  });
  return parseObjectInfo(Object.fromEntries(described));
}

/** A prompt of nodes `1`, `2`, …: class, then inputs. */
export function promptOf(...nodes: [string, Record<string, unknown>][]): ApiPrompt {
  return Object.fromEntries(
    nodes.map(([classType, inputs], index) => [String(index + 1), { class_type: classType, inputs }]),
  );
}

export function needsOf(
  prompt: ApiPrompt,
  definitions: NodeDefinitions,
  isStaged: (nodeId: string, inputName: string) => boolean = () => false,
): Needs {
  return compileNeeds(prompt, { findDefinition: (classType) => definitions.get(classType), isStaged });
}
