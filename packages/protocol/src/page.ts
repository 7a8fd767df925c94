import { z } from 'zod';

import { etaSchema } from './bridge-answers.ts';
import type { BridgeJob } from './bridge-answers.ts';
import type { addressedBackendSchema } from './fleet.ts';
import { jobStatusSchema, outputTypeSchema } from './job.ts';
import { roleSchema } from './keys.ts';
import { linkSchema, v2ProgressSchema } from './v2.ts';

/** What the page of the bridge asks for beside what programs do. Times are ISO 8601 in UTC, sizes bytes. */

const timeSchema = z.iso.datetime();

/** `GET /api/bridge/me`: who the caller is here, and what it may do. */
export const meSchema = z.strictObject({
  keys: z.boolean().describe('Whether keys are required.'),
  role: roleSchema.describe(
    "With keys, the key's. Without: `operator` where what operators may do is open to this caller.",
  ),
  name: z.string().nullable().describe('Of the key; null without one, and for the operator token.'),
  key_id: z.string().nullable(),
  expires_at: timeSchema.nullable().describe('When the key ends; null: never.'),
  workflows: z.array(z.string()).nullable().describe('Aliases that it may see and run; null: all.'),
  version: z.string().describe('Of the bridge.'),
  limits: z.strictObject({
    upload_max_bytes: z.int().describe('Of one file of an upload in one request.'),
    upload_max_files: z.int().describe('In one request.'),
    unfinished_jobs: z.int().nullable().describe('At a time; null: any number.'),
  }),
  owner_token: z
    .string()
    .nullable()
    .describe(
      'Where keys are off and no secret came along: one that nobody can guess. Sent with every call from then on (`Authorization: Bearer …`), it makes jobs, uploads and lists one’s own.',
    ),
  any_workflow: z.boolean().describe('Whether it may run graphs of its own beside the published workflows.'),
});
export type Me = z.infer<typeof meSchema>;

/** The events of `GET /api/bridge/events`. A `job` is a `BridgeJob`, a `backend` is a backend with its address. */

export const helloEventSchema = z.strictObject({ server_time: timeSchema, version: z.string() });

export const jobProgressEventSchema = z.strictObject({
  id: z.string(),
  progress: v2ProgressSchema,
  eta: etaSchema.nullable(),
});

export const jobPreviewEventSchema = z.strictObject({
  id: z.string(),
  content_type: z.string(),
  data: z.base64(),
  node: z.string().nullable(),
});

export const queueEventSchema = z.strictObject({
  id: z.string(),
  queue_position: z.int().nonnegative(),
  eta: etaSchema.nullable(),
  waits_because: z.string().nullable(),
});
export type QueueEvent = z.infer<typeof queueEventSchema>;

export const jobGoneEventSchema = z.strictObject({ id: z.string() });

export const backendGoneEventSchema = z.strictObject({ name: z.string() });

/** Data of each event of `GET /api/bridge/events`, by its name. */
export interface BridgeStreamEvents {
  hello: z.infer<typeof helloEventSchema>;
  job: BridgeJob;
  progress: z.infer<typeof jobProgressEventSchema>;
  preview: z.infer<typeof jobPreviewEventSchema>;
  queue: QueueEvent;
  gone: z.infer<typeof jobGoneEventSchema>;
  backend: z.infer<typeof addressedBackendSchema>;
  backend_gone: z.infer<typeof backendGoneEventSchema>;
}

/** `GET /api/bridge/jobs/{id}/inputs`: what a job was run with, as it can be sent again. */
export const jobInputsSchema = z.strictObject({
  workflow: z.string(),
  is_published: z
    .boolean()
    .describe('Whether that workflow is published now; otherwise there are no inputs.'),
  inputs: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .describe(
      'By name, as `inputs` of a submit takes them; files as the asset or the saved name. Integers beyond 2^53 are texts.',
    ),
  files: z
    .record(
      z.string(),
      z.strictObject({
        file_name: z.string(),
        content_type: z.string().nullable(),
        url: linkSchema.nullable().describe('Null when it is gone, or cannot be read by itself.'),
      }),
    )
    .describe('The files among the inputs, by name.'),
});
export type JobInputs = z.infer<typeof jobInputsSchema>;

/** `POST /api/bridge/jobs/{id}/links`. */
export const newLinkSchema = z.strictObject({
  expires_in: z
    .int()
    .min(1)
    .max(10 * 365 * 24 * 60 * 60)
    .default(3600)
    .describe('Seconds from now; it ends with the results at the latest.'),
});

/** A link to the results of a job, for whoever has it. */
export const createdLinkSchema = z.strictObject({
  token: z.string(),
  url: z.url().describe('What the link leads to, for programs.'),
  page: z.url().describe('The same as a page.'),
  expires_at: timeSchema,
});
export type CreatedLink = z.infer<typeof createdLinkSchema>;

/** `GET /api/bridge/links/{token}`: neither what went in, nor whose it is, nor where it was made. */
export const sharedResultsSchema = z.strictObject({
  workflow: z.string(),
  title: z.string(),
  status: jobStatusSchema,
  created_at: timeSchema,
  completed_at: timeSchema.nullable(),
  expires_at: timeSchema.describe('When the link ends.'),
  outputs: z.array(
    z.strictObject({
      index: z.int().nonnegative(),
      name: z.string(),
      type: outputTypeSchema,
      content_type: z.string(),
      size_bytes: z.int().nonnegative(),
      url: linkSchema,
    }),
  ),
});
export type SharedResults = z.infer<typeof sharedResultsSchema>;

/** `GET /api/bridge/settings`: what the bridge was started with. */
export const settingsSchema = z.strictObject({
  settings: z.array(
    z.strictObject({
      name: z.string().describe('As in the environment.'),
      group: z.string(),
      description: z.string(),
      value: z.string().describe('As it was written; of a secret `***`. Empty when it is not set.'),
      default: z.string(),
      source: z.enum(['default', 'environment', 'file']),
      secret: z.boolean(),
    }),
  ),
  warnings: z.array(z.string()).describe('What has no effect although it looks as if it had.'),
});
export type Settings = z.infer<typeof settingsSchema>;
