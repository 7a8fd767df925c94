import { clientIdSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

/** Parameters that several operations share. */

const exampleId = '7f3d2c1b-9a8e-4d6f-b012-3c4d5e6f7a8b';

export const jobPath = z.object({ id: z.string().meta({ example: exampleId }) });
export const assetPath = z.object({
  id: z.string().meta({ example: '9f8a1c0d-2b3e-4f56-8a7b-1c2d3e4f5a6b' }),
});
export const aliasPath = z.object({
  alias: z.string().describe('One of `GET /workflow-list`.').meta({ example: 'text-to-image' }),
});
export const backendPath = z.object({
  name: z.string().describe('Of a backend.').meta({ example: 'studio' }),
});

const clientId = clientIdSchema.describe(
  'Chosen by the client: a new UUID for each piece of work. Whoever knows it may follow the job and fetch its results.',
);
export const clientQuery = z.object({ clientId: clientId.meta({ example: 'demo-1' }) });
export const optionalClientQuery = z.object({ clientId: clientId.optional() });

export const priorityHeaders = z.object({
  Priority: z
    .string()
    .optional()
    .describe(
      'RFC 9218, `u=0` to `u=7`: `u=3` is normal; each step above counts as having come five minutes later. Steps below 3 count for operators only.',
    ),
});

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .optional();

export const idempotencyHeaders = z.object({
  'Idempotency-Key': idempotencyKey.describe(
    'A UUID (recommended). Single-use: any later request with the same key is refused with 422 `idempotency_key_reuse`. Keys expire after 24 hours.',
  ),
});
export const replayHeaders = z.object({
  'Idempotency-Key': idempotencyKey.describe(
    'A UUID (recommended). A repeat with the same key and body answers what the first one made; another body is refused. Keys expire after 24 hours.',
  ),
});

export const replayedHeader = z
  .literal('true')
  .optional()
  .describe('Only when an earlier request with this key made it.');
export const locationHeader = z.string().describe('Host-relative, with every prefix.');
