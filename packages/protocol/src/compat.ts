import { z } from 'zod';

/** The compatibility API: what clients of the original bridge speak, key for key. */

/** 1 to 128 characters of `[A-Za-z0-9._:-]`, chosen by the client; names one piece of work. */
export const clientIdSchema = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

export const compatStatusSchema = z.enum(['connected', 'listening', 'progress', 'closed', 'error']);
export type CompatStatus = z.infer<typeof compatStatusSchema>;

/** Extra fields of a text frame, sent only to sockets opened with `events=2`. */
const compatFrameExtrasSchema = z.strictObject({
  seq: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('Rises with every event of the job; send the last one heard as `after` when connecting again.'),
  jobId: z.string().exactOptional(),
  state: z.string().exactOptional(),
  queuePosition: z.number().nullable().exactOptional(),
  node: z.string().nullable().exactOptional(),
  step: z.number().nullable().exactOptional(),
  steps: z.number().nullable().exactOptional(),
  etaSeconds: z.number().nullable().exactOptional(),
});
export type CompatFrameExtras = z.infer<typeof compatFrameExtrasSchema>;

/** A text frame of `/ws`. The documents say `details`, clients in the field read `detail`: both, always equal. */
export const compatFrameSchema = z.strictObject({
  status: compatStatusSchema,
  details: z.string(),
  detail: z.string().describe('Always equal to `details`.'),
  ...compatFrameExtrasSchema.shape,
});
export type CompatFrame = z.infer<typeof compatFrameSchema>;

const inputTypeSchema = z.enum(['str', 'int', 'float', 'bool']);
export type InputType = z.infer<typeof inputTypeSchema>;

const mediaFormatSchema = z.enum(['image', 'video', 'audio', 'mask']);
export type MediaFormat = z.infer<typeof mediaFormatSchema>;

const inputValueSchema = z.union([z.string(), z.number(), z.bigint(), z.boolean()]);
export type InputValue = z.infer<typeof inputValueSchema>;

/** One entry of `GET /workflow-info`. */
export const workflowInfoEntrySchema = z.strictObject({
  type: inputTypeSchema,
  title: z.string().describe("The node's title."),
  class: z.string().describe("The node's class."),
  default: z.unknown().describe("The author's value: used where nothing is sent."),
  format: mediaFormatSchema
    .exactOptional()
    .describe('The value is the name of an uploaded file of that kind.'),
  options: z.array(inputValueSchema).exactOptional().describe('The values that are allowed.'),
  min: z.number().exactOptional().describe('Of a seed, rounded to a double.'),
  max: z.number().exactOptional().describe('Of a seed, rounded to a double.'),
  step: z.number().exactOptional(),
  label: z.string().exactOptional(),
  description: z.string().exactOptional(),
  required: z.boolean().exactOptional().describe('An empty value is refused.'),
  order: z.number().exactOptional(),
  descimage: z
    .union([z.string(), z.array(z.string())])
    .exactOptional()
    .describe('Pictures that explain the input, base64. One string for one picture, a list for more.'),
});
export type WorkflowInfoEntry = z.infer<typeof workflowInfoEntrySchema>;

/** `GET /workflow-info`: by the key `<node id>/<input name>`. */
export const workflowInfoSchema = z.record(z.string(), workflowInfoEntrySchema);
export type WorkflowInfo = z.infer<typeof workflowInfoSchema>;

/** One entry of `GET /workflow-list?detail=full`. */
export const workflowListEntrySchema = z.strictObject({
  alias: z.string(),
  fn: z.string().describe("The workflow's file."),
  description: z.string(),
  thumbnail: z.string().describe('base64, empty when there is none.'),
});
export type WorkflowListEntry = z.infer<typeof workflowListEntrySchema>;

/** `GET /history?resType=base64`. */
export const base64ResultsSchema = z.strictObject({
  files: z.array(
    z.strictObject({
      file_name: z.string(),
      content_type: z.string(),
      content: z.string().describe('base64'),
    }),
  ),
});
export type Base64Results = z.infer<typeof base64ResultsSchema>;

/** `POST /generate-based-workflow`: `workflow` and any number of `"<nodeId>/<inputName>"` keys. */
export const generateRequestSchema = z.looseObject({
  workflow: z.string().min(1).describe('The alias of a published workflow.'),
});

/** What `POST /generate-based-workflow` answers. */
export const generateAnswerSchema = z.strictObject({
  detail: z.string().describe('`queued / n`: so many jobs wait, at least 1.'),
  jobId: z.uuid(),
});

/** `POST /upload`: the saved name for each identifier. */
export const uploadAnswerSchema = z.record(z.string(), z.string());

/** What calls that only do something answer, and every refusal of the compatibility API. */
export const compatDetailSchema = z.strictObject({ detail: z.string() });
