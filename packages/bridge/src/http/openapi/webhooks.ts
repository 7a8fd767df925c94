import { webhookEventSchema } from '@comfy-bridge/protocol';

import type { Node } from './describe-operation.ts';
import type { SchemaWriter } from './write-schema.ts';

const text = { type: 'string' };
const headers = {
  'webhook-id': 'The same for each try.',
  'webhook-timestamp': 'Seconds since 1970.',
  'webhook-signature': '`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.',
};

/** What the bridge sends to the `webhook` of a submit: the other side's operations. */
export function describeWebhooks(writer: SchemaWriter): Node {
  const post = {
    operationId: 'jobEnded',
    tags: ['jobs'],
    summary: 'The end of a job',
    description:
      "Standard Webhooks (standardwebhooks.com): signed with the secret of the submit, or the bridge's own. Sent again until it is answered with a 2xx, so it may come twice: `webhook-id` tells.",
    parameters: Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      required: true,
      schema: text,
    })),
    requestBody: {
      required: true,
      content: { 'application/json': { schema: writer.write(webhookEventSchema, 'output') } },
    },
    responses: { '2XX': { description: 'It was received.' } },
  };
  return { jobEnded: { post } };
}
