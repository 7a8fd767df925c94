import { v2OutputSchema } from '@comfy-bridge/protocol';
import type { OutputType } from '@comfy-bridge/protocol';
import { z } from 'zod';

import type { FindDefinition } from './input-spec.ts';
import type { JsonSchema } from './input-schema.ts';
import type { PublishedWorkflow } from '../catalog/published-workflow.ts';

/** A node whose results a caller gets. */
export interface WorkflowOutput {
  node_id: string;
  title: string;
  /** What it is likely to make, by its class; empty: anything. */
  types: OutputType[];
}

/** Classes of ComfyUI's core and of the most common packs, with what they save or show. */
const typesByClass: ReadonlyMap<string, readonly OutputType[]> = new Map([
  ['SaveImage', ['image']],
  ['PreviewImage', ['image']],
  ['SaveImageWebsocket', ['image']],
  ['SaveAnimatedWEBP', ['image']],
  ['SaveAnimatedPNG', ['image']],
  ['MaskPreview', ['image']],
  ['SaveVideo', ['video']],
  ['SaveWEBM', ['video']],
  // Its format is a choice of its own: GIF and WebP are pictures.
  ['VHS_VideoCombine', ['video', 'image']],
  ['SaveAudio', ['audio']],
  ['SaveAudioMP3', ['audio']],
  ['SaveAudioOpus', ['audio']],
  ['PreviewAudio', ['audio']],
  ['PreviewAny', ['text']],
  ['SaveLatent', ['latent']],
  ['SaveGLB', ['file']],
]);

/** The nodes whose results are delivered, in the order of the file: the marked ones, else all that give results. */
export function describeOutputs(
  workflow: PublishedWorkflow,
  findDefinition: FindDefinition,
): WorkflowOutput[] {
  const marked = new Set(workflow.outputNodes);
  return Object.entries(workflow.prompt)
    .filter(([nodeId, { class_type: classType }]) =>
      marked.size > 0 ? marked.has(nodeId) : givesResults(classType),
    )
    .map(([nodeId, { class_type: classType, _meta }]) => ({
      node_id: nodeId,
      title: _meta?.title || classType,
      types: [...(typesByClass.get(classType) ?? [])],
    }));

  function givesResults(classType: string): boolean {
    return findDefinition(classType)?.outputNode ?? typesByClass.has(classType);
  }
}

/**
 * JSON Schema (2020-12) of the `outputs` of a job of this workflow: the official outputs, each from one of its nodes. A node
 * may give several or none.
 */
export function toOutputSchema(outputs: readonly WorkflowOutput[]): JsonSchema {
  const { $schema, ...item } = outputItemSchema;
  return {
    $schema,
    type: 'array',
    items: {
      ...item,
      ...(outputs.length > 0 && { anyOf: outputs.map(toNodeSchema) }),
    },
  };
}

const outputItemSchema: JsonSchema = z.toJSONSchema(v2OutputSchema, {
  // The format says it all; the pattern of a time fills a screen.
  override({ jsonSchema }) {
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  },
});

function toNodeSchema({ node_id, title, types }: WorkflowOutput): JsonSchema {
  return {
    title,
    properties: { node_id: { const: node_id }, ...(types.length > 0 && { type: { enum: types } }) },
  };
}
