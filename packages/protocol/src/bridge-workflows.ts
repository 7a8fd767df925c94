import { z } from 'zod';

import { outputTypeSchema } from './job.ts';
import { linkSchema, v2JobSchema } from './v2.ts';
import { webhookRequestSchema } from './webhook.ts';

/** Our own API of published workflows by the names of their inputs: `/api/bridge/workflows` and `/api/bridge/groups`. */

const countSchema = z.int().nonnegative();
/** JSON Schema, draft 2020-12. Limits may be integers beyond 2^53. */
const jsonSchemaSchema = z.record(z.string(), z.unknown());

/** Jobs that one request can make. */
export const maxGroupJobs = 1_000;

const mediaSchema = z.enum(['image', 'video', 'audio', 'mask']);

export const workflowEntrySchema = z.strictObject({
  alias: z.string().min(1).describe('The name in the URL, percent-encoded there.'),
  title: z.string().min(1),
  description: z.string(),
  thumbnail: linkSchema.nullable().describe('Null when there is none.'),
  inputs: countSchema.describe('How many inputs a caller may set.'),
  can_run: z.boolean().describe('Whether a ComfyUI of the fleet has all that it needs.'),
  can_run_now: z.boolean().describe('Whether one of those takes work now.'),
  why_not: z.string().nullable().describe('For people: why none runs it now; null when one does.'),
  media_in: z.array(mediaSchema).describe('The kinds of files among its inputs.'),
  output_types: z.array(outputTypeSchema).describe('What it is likely to give; empty: anything.'),
  urls: z.strictObject({ self: linkSchema, jobs: linkSchema, thumbnail: linkSchema.nullable() }),
});

/** `GET /api/bridge/workflows`. */
export const workflowListSchema = z.strictObject({ workflows: z.array(workflowEntrySchema) });

export const workflowInputSchema = z.strictObject({
  name: z.string().min(1).describe('What to call it in `inputs`.'),
  key: z.string().min(3).describe('`<node id>/<input name>`; may be used instead of the name.'),
  label: z.string().nullable().describe('For people; may be used instead of the name.'),
  title: z.string().describe("The node's title."),
  description: z.string().nullable(),
  type: z.enum(['str', 'int', 'float', 'bool']),
  media: mediaSchema.nullable().describe('The kind of file that it takes.'),
  required: z.boolean().describe('True: it must be sent.'),
  default: z.unknown().describe("The author's value; an integer may be 64 bit wide."),
});

export const workflowOutputSchema = z.strictObject({
  node_id: z.string().min(1),
  title: z.string(),
  types: z.array(outputTypeSchema).describe('What it is likely to give; empty: anything.'),
});

/** `GET /api/bridge/workflows/{alias}`. */
export const workflowDetailSchema = z.strictObject({
  ...workflowEntrySchema.shape,
  inputs: z.array(workflowInputSchema),
  outputs: z.array(workflowOutputSchema),
  input_schema: jsonSchemaSchema.describe('JSON Schema of the `inputs` of a job, by name.'),
  output_schema: jsonSchemaSchema.describe('JSON Schema of the `outputs` of a job.'),
  obstacles: z.string().nullable().describe('Why no ComfyUI can run it; null when one can.'),
});

/** `POST /api/bridge/workflows/{alias}/jobs`. */
export const namedSubmitSchema = z.strictObject({
  inputs: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'Values by name, label or key. null, or left out: the default. A list, or {"each": […]}: one job for each value.',
    ),
  combine: z
    .enum(['product', 'zip'])
    .optional()
    .describe('With several lists: every combination (the default), or side by side.'),
  previews: z.boolean().optional().describe('Make previews even though nobody listens yet.'),
  webhook: webhookRequestSchema.optional(),
});

export const groupStatusSchema = z.enum(['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired']);

/** What a batch answers, and `GET /api/bridge/groups/{id}`. */
export const jobGroupSchema = z.strictObject({
  id: z.uuid(),
  workflow: z.string(),
  created_at: z.iso.datetime(),
  status: groupStatusSchema.describe(
    '`queued` and `running` until all have ended; then the worst of them: failed, canceled, expired, succeeded.',
  ),
  progress: z.number().min(0).max(1).describe('Mean of its jobs; one that has ended counts as 1.'),
  total: countSchema,
  counts: z
    .strictObject({
      queued: countSchema,
      running: countSchema,
      succeeded: countSchema,
      failed: countSchema,
      canceled: countSchema,
      expired: countSchema,
    })
    .describe('`running` counts those that are being canceled, `expired` those that are gone.'),
  jobs: z.array(v2JobSchema).describe('In the order of the lists. Those that are gone are left out.'),
  urls: z.strictObject({ self: linkSchema, cancel: linkSchema }),
});

export type WorkflowEntry = z.infer<typeof workflowEntrySchema>;
export type WorkflowDetail = z.infer<typeof workflowDetailSchema>;
export type NamedSubmit = z.infer<typeof namedSubmitSchema>;
export type GroupStatus = z.infer<typeof groupStatusSchema>;
export type JobGroupView = z.infer<typeof jobGroupSchema>;
