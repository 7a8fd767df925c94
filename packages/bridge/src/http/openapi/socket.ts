import { compatFrameSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { clientQuery } from './parameters.ts';

const query = clientQuery.extend({
  events: z.string().optional().describe('`2`: frames carry more fields.').meta({ example: '2' }),
  after: z
    .string()
    .optional()
    .describe(
      'When connecting again: the last `seq` that was heard of this job; nothing up to it is told again.',
    ),
  previews: z
    .string()
    .optional()
    .describe('`1`: live preview pictures as binary frames, each a whole JPEG or PNG.'),
  leave: z
    .string()
    .regex(/^(cancel|keep|\d{1,5}(\.\d{1,3})?)?$/)
    .optional()
    .describe('What becomes of the job when its client goes: `cancel`, `keep`, or seconds up to 86400.'),
});

const detail = z.strictObject({ detail: z.string() });

/** `/ws`: not Express's, but the gateway's. What it sends is described as well as OpenAPI can. */
export const socketOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/ws',
    operationId: 'openSocket',
    tag: 'compatibility',
    summary: "WebSocket: a client's job as it runs",
    description:
      'Answers an upgrade only. Every text frame is a `Frame`; the socket is closed after `closed` or `error`. Nothing needs to be sent.',
    query,
    answers: {
      101: { description: 'The WebSocket is open; its text frames are in `x-websocket`.' },
      403: { description: "Pages of the caller's origin may not connect.", content: json(detail) },
      404: { description: 'This was no upgrade.', content: json(detail) },
    },
    refusals: ['bad_request', 'draining'],
    events: { text: { description: 'Each text frame.', schema: compatFrameSchema } },
  },
];
