import { z } from 'zod';

import { jobStatusSchema, outputTypeSchema } from './job.ts';

/**
 * What Comfy API v2 says of jobs, shape for shape (its OpenAPI document, version 2.0.0). Strict: an answer with a field
 * beyond the contract does not pass, so that what is ours stays under `/api/bridge`.
 */

const timeSchema = z.iso.datetime();
/** An absolute URL; unlike the links of a job, which may be host-relative. */
const urlSchema = z.url({ protocol: /^https?$/ });
/** Absolute, or host-relative with every prefix that the bridge is served under. */
export const linkSchema = z
  .union([urlSchema, z.string().regex(/^\/(?!\/)/)])
  .meta({ format: 'uri-reference' });
const countSchema = z.int().nonnegative();

export const v2ProgressSchema = z.strictObject({
  value: z.number().min(0).max(1),
  nodes_done: countSchema,
  nodes_total: countSchema,
  current_node: z.string().nullish(),
  current_node_class: z.string().nullish(),
  step: countSchema.nullish(),
  steps: countSchema.nullish(),
  message: z.string().nullish(),
});

export const v2OutputSchema = z.strictObject({
  node_id: z.string(),
  name: z.string(),
  type: outputTypeSchema,
  content_type: z.string(),
  size_bytes: countSchema,
  id: z.uuid(),
  /** `blake3:<hex>`; null while it was not computed. */
  hash: z
    .string()
    .regex(/^blake3:[0-9a-f]+$/)
    .nullable(),
  url: urlSchema,
  url_expires_at: timeSchema,
  job_id: z.string().nullish(),
});

/** Why a job failed: a field of the job, not an HTTP error. */
export const v2JobErrorSchema = z.strictObject({
  code: z.string().min(1),
  message: z.string().min(1),
  node_id: z.string().nullish(),
  class_type: z.string().nullish(),
  traceback: z.string().nullish(),
});

export const v2JobUrlsSchema = z.strictObject({ self: linkSchema, events: linkSchema, cancel: linkSchema });

export const v2JobSchema = z.strictObject({
  id: z.string().min(1),
  status: jobStatusSchema,
  created_at: timeSchema,
  started_at: timeSchema.nullable(),
  completed_at: timeSchema.nullable(),
  expires_at: timeSchema,
  queue_position: countSchema.nullable(),
  progress: v2ProgressSchema.nullable(),
  outputs: z.array(v2OutputSchema),
  error: v2JobErrorSchema.nullable(),
  metrics: z.record(z.string(), z.int().nullable()).optional(),
  urls: v2JobUrlsSchema,
});

/** Payload of a `status` event. */
export const v2StatusEventSchema = z.strictObject({
  status: jobStatusSchema,
  queue_position: countSchema.nullish(),
});

/** Payload of a `preview` event. */
export const v2PreviewEventSchema = z.strictObject({
  node_id: z.string(),
  content_type: z.string(),
  data_base64: z.base64(),
});

/** The object that stands in a graph where a file name would. Only the id counts. */
export const assetReferenceSchema = z.object({
  __type: z.literal('core/ASSET'),
  info: z.looseObject({ id: z.uuid(), hash: z.string().optional(), file_path: z.string().optional() }),
});

/** `POST /api/v2/jobs`. What the contract reserves (`webhook_url`, `inputs`) is refused like anything else unknown. */
export const v2SubmitSchema = z.strictObject({
  workflow: z.record(z.string(), z.unknown()),
  /** Handed to the ComfyUI with this prompt alone, and never written down. */
  extra_data: z.strictObject({ api_key_comfy_org: z.string().max(4096).optional() }).optional(),
});

/** `GET /api/v2/jobs/{id}/workflow`. */
export const v2JobWorkflowSchema = z.strictObject({
  workflow: z.record(z.string(), z.unknown()),
  format: z.enum(['save', 'api']),
});

/** Every refusal below `/api/`. */
export const v2ErrorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string().min(1),
    message: z.string().min(1),
    details: z.record(z.string(), z.unknown()).nullish(),
  }),
});

export type V2Job = z.infer<typeof v2JobSchema>;
export type V2Output = z.infer<typeof v2OutputSchema>;
export type V2Progress = z.infer<typeof v2ProgressSchema>;
