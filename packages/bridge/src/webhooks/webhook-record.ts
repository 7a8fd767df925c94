import { webhookEventTypes, webhookSecretSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import type { Webhook } from './webhook-target.ts';

/** What is kept of a job's webhook until its end was told. */
export interface WebhookRecord extends Webhook {
  /** As the job's caller reaches the bridge, `https://host`: links in what is sent begin with it. */
  readonly origin: string;
  /** What is to be sent and when, ms since the epoch; null while the job goes on. */
  readonly message: {
    readonly body: string;
    readonly failures: number;
    readonly at: number;
  } | null;
}

const recordSchema = z.object({
  url: z.url({ protocol: /^https?$/ }),
  secret: webhookSecretSchema.nullable(),
  events: z.array(z.enum(webhookEventTypes)),
  origin: z.string(),
  message: z.object({ body: z.string(), failures: z.int().nonnegative(), at: z.number() }).nullable(),
});

/** Undefined for a text that is damaged. What is wrong is not told: it may be a secret. */
export function parseWebhookRecord(text: string): WebhookRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function toRecordText({ url, secret, events, origin, message }: WebhookRecord): string {
  return JSON.stringify({ url, secret, events, origin, message });
}
