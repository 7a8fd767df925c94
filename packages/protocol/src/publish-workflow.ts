import { z } from 'zod';

import { workflowDetailSchema } from './bridge-workflows.ts';
import { linkSchema } from './v2.ts';

/** Publishing workflows: `PUT /api/bridge/workflows/{alias}` and what belongs to it; for operators. */

export const maxDescriptionLength = 2_000;
/** Of a picture, in bytes. */
export const maxThumbnailBytes = 2 * 1024 * 1024;

const versionSchema = z.string().min(1).describe('Changes with the file, the description and the thumbnail.');

/** `PUT /api/bridge/workflows/{alias}`. */
export const publishRequestSchema = z.strictObject({
  workflow: z
    .record(z.string(), z.unknown())
    .describe(
      'In API format, with the marks of its inputs in `_meta`. What the editor saves is converted where that is possible exactly.',
    ),
  description: z.string().max(maxDescriptionLength).optional().describe('Left out: stays as it is.'),
  thumbnail: z
    .string()
    .max(Math.ceil(maxThumbnailBytes / 3) * 4)
    .nullable()
    .optional()
    .describe(
      'PNG, JPEG or WebP of at most 2 MB, in base64; kept small, and without its metadata. Left out: stays as it is; null: none.',
    ),
  previous: versionSchema
    .nullable()
    .optional()
    .describe(
      'The version that this replaces; null: none. Refused (`conflict`) when another one is published.',
    ),
});

export const workflowVerdictSchema = z.strictObject({
  backend: z.string(),
  can_run: z.boolean().nullable().describe('Null: it was not reached yet.'),
  reason: z.string().nullable().describe('Why it cannot.'),
  lacks: z.array(
    z.strictObject({
      class_type: z.string(),
      input: z.string().nullable(),
      value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
    }),
  ),
});

/** What publishing answers. */
export const publishedWorkflowSchema = z.strictObject({
  alias: z.string().min(1),
  version: versionSchema,
  description: z.string(),
  file: z.string().min(1).describe('Its name in the workflow folder.'),
  problems: z.array(z.string()).describe('Marks that cannot work, and links to nodes that are not there.'),
  can_run: z.boolean().describe('Whether a ComfyUI of the fleet has all that it needs.'),
  obstacles: z.string().nullable().describe('Why no ComfyUI can run it; null when one can.'),
  backends: z.array(workflowVerdictSchema).describe('What each ComfyUI lacks.'),
  inputs: workflowDetailSchema.shape.inputs,
  outputs: workflowDetailSchema.shape.outputs,
  urls: z.strictObject({
    self: linkSchema,
    jobs: linkSchema,
    thumbnail: linkSchema.nullable(),
    file: linkSchema,
    versions: linkSchema,
  }),
});

/** `GET /api/bridge/workflows/{alias}/versions`. */
export const workflowVersionsSchema = z.strictObject({
  alias: z.string().min(1),
  current: versionSchema.nullable().describe('Null: it is not published.'),
  versions: z
    .array(
      z.strictObject({
        version: versionSchema,
        is_current: z.boolean(),
        published_at: z.iso.datetime(),
        by: z.string().nullable().describe('A digest of the account; null for what was put into the folder.'),
        source: z.enum(['publish', 'restore', 'folder']),
        description: z.string(),
        bytes: z.int().nonnegative().describe('Of the workflow file.'),
        urls: z.strictObject({ restore: linkSchema }),
      }),
    )
    .describe('Newest first; the last ten.'),
});

export type PublishRequest = z.infer<typeof publishRequestSchema>;
export type WorkflowVerdict = z.infer<typeof workflowVerdictSchema>;
export type PublishedWorkflowAnswer = z.infer<typeof publishedWorkflowSchema>;
export type WorkflowVersionsAnswer = z.infer<typeof workflowVersionsSchema>;
