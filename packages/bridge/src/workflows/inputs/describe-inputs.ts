import type { WorkflowInfo, WorkflowInfoEntry } from '@comfy-bridge/protocol';
import { resolveInput, toDouble, type FindDefinition } from './input-spec.ts';
import type { ApiInput, PublishedWorkflow } from '../catalog/published-workflow.ts';

interface DescribeOptions {
  /** Description images that could be read: file name to base64. */
  descimages?: ReadonlyMap<string, string>;
}

/**
 * What `GET /workflow-info` answers: the API inputs in the author's order. Defaults may be `bigint` (64-bit seeds), so the
 * answer must be written with `stringifyLossless`.
 */
export function describeInputs(
  workflow: PublishedWorkflow,
  findDefinition: FindDefinition,
  options: DescribeOptions = {},
): WorkflowInfo {
  return Object.fromEntries(
    workflow.inputs.map((input) => [input.key, describeInput(input, findDefinition, options.descimages)]),
  );
}

function describeInput(
  input: ApiInput,
  findDefinition: FindDefinition,
  descimages: ReadonlyMap<string, string> | undefined,
): WorkflowInfoEntry {
  const spec = resolveInput(input, findDefinition(input.classType));
  const { label, description, required, order } = input.mark;
  const images = input.descimages.flatMap((name) => descimages?.get(name) ?? []);
  const [only] = images;
  return {
    type: spec.type,
    title: input.title,
    class: input.classType,
    default: input.default,
    ...(spec.format !== undefined && { format: spec.format }),
    ...(spec.options !== undefined && { options: [...spec.options] }),
    ...(spec.min !== undefined && { min: toDouble(spec.min) }),
    ...(spec.max !== undefined && { max: toDouble(spec.max) }),
    ...(spec.step !== undefined && { step: spec.step }),
    ...(label !== undefined && { label }),
    ...(description !== undefined && { description }),
    ...(required !== undefined && { required }),
    ...(order !== undefined && { order }),
    ...(only !== undefined && { descimage: images.length === 1 ? only : images }),
  };
}
