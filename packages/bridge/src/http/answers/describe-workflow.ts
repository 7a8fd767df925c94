import type { WorkflowDetail, WorkflowEntry } from '@comfy-bridge/protocol';

import { mustBeSent, toInputSchema } from '../../workflows/inputs/input-schema.ts';
import { resolveInput } from '../../workflows/inputs/input-spec.ts';
import type { FindDefinition } from '../../workflows/inputs/input-spec.ts';
import { nameInputs } from '../../workflows/inputs/name-inputs.ts';
import { describeOutputs, toOutputSchema } from '../../workflows/inputs/output-schema.ts';
import type { WorkflowObstacles } from '../../scheduling/submit/find-workflow-obstacles.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';

export interface WorkflowContext {
  basePath: string;
  hasThumbnail: boolean;
  obstacles: WorkflowObstacles;
}

/** A published workflow as the list has it. */
export function describeEntry(
  workflow: PublishedWorkflow,
  findDefinition: FindDefinition,
  { basePath, hasThumbnail, obstacles: { obstacles, notNow } }: WorkflowContext,
): WorkflowEntry {
  const { alias, description, inputs } = workflow;
  const self = `${basePath}/api/bridge/workflows/${encodeURIComponent(alias)}`;
  const thumbnail = hasThumbnail ? `${self}/thumbnail` : null;
  return {
    alias,
    title: toTitle(alias),
    description,
    thumbnail,
    inputs: inputs.length,
    can_run: obstacles === undefined,
    can_run_now: notNow === undefined,
    why_not: notNow ?? null,
    media_in: unique(
      inputs.flatMap((input) => resolveInput(input, findDefinition(input.classType)).format ?? []),
    ),
    output_types: unique(describeOutputs(workflow, findDefinition).flatMap(({ types }) => types)),
    urls: { self, jobs: `${self}/jobs`, thumbnail },
  };
}

/** All that a program needs to run it. Defaults and limits may be `bigint`: to be written with `stringifyLossless`. */
export function describeDetail(
  workflow: PublishedWorkflow,
  findDefinition: FindDefinition,
  context: WorkflowContext,
): WorkflowDetail {
  const outputs = describeOutputs(workflow, findDefinition);
  return {
    ...describeEntry(workflow, findDefinition, context),
    inputs: nameInputs(workflow).map(({ name, label, input }) => {
      const { type, format } = resolveInput(input, findDefinition(input.classType));
      return {
        name,
        key: input.key,
        label,
        title: input.title,
        description: input.mark.description ?? null,
        type,
        media: format ?? null,
        required: mustBeSent(input),
        default: input.default,
      };
    }),
    outputs,
    input_schema: toInputSchema(workflow, findDefinition),
    output_schema: toOutputSchema(outputs),
    obstacles: context.obstacles.obstacles ?? null,
  };
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** `text-to-image` → `Text to image`; an alias that is no slug is a title already. */
export function toTitle(alias: string): string {
  const text = alias.replace(/\.json$/, '').replace(/(?<=[\p{L}\p{N}])[-_]+(?=[\p{L}\p{N}])/gu, ' ');
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
