import { z } from 'zod';

import { v2SubmitSchema } from './v2.ts';
import { webhookRequestSchema } from './webhook.ts';

/** `POST /api/bridge/jobs`: what the official submit takes, and what is ours beyond it. */
export const bridgeSubmitSchema = z.strictObject({
  /** In API format, or as the editor saves it. */
  workflow: v2SubmitSchema.shape.workflow,
  extra_data: v2SubmitSchema.shape.extra_data,
  /** Whether preview pictures are made although nobody may be listening yet. */
  previews: z.boolean().optional(),
  webhook: webhookRequestSchema.optional(),
});

/** `POST /api/bridge/convert`: a workflow as the editor saves it. Other fields are passed over. */
export const convertRequestSchema = z.looseObject({
  workflow: z
    .looseObject({ nodes: z.array(z.unknown()), links: z.array(z.unknown()) })
    .describe("In the editor's format."),
});

/** What it answers. */
export const convertAnswerSchema = z.strictObject({
  workflow: z.record(z.string(), z.unknown()).describe('In API format.'),
});
