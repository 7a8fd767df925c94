import { z } from 'zod';

import { v2JobSchema } from './v2.ts';

/** What a webhook can tell of: the ends of a job. */
export const webhookEventTypes = ['job.succeeded', 'job.failed', 'job.canceled'] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** `whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks has it (standardwebhooks.com, "Signature scheme"). */
const secretPattern =
  /^whsec_(?:(?:[A-Za-z0-9+/]{4}){8,20}(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?|(?:[A-Za-z0-9+/]{4}){21}(?:[A-Za-z0-9+/][AQgw]==)?)$/;

/** Characters of a webhook's URL, before and after it is brought to its normal form. */
export const maxWebhookUrlLength = 2_048;

/** What each field must be, as a refusal tells it after the field's name. */
export const webhookRules = {
  webhook:
    'must be an object such as {"url": "https://example.com/hook"}, with "secret" and "events" if wanted',
  url: `must be an http or https URL of at most ${maxWebhookUrlLength} characters`,
  secret:
    'must be whsec_ and the base64 of 24 to 64 random bytes, as `echo whsec_$(openssl rand -base64 32)` makes one',
  events: `must be a list of some of ${webhookEventTypes.join(', ')}; left out, all are sent`,
} as const;

export const webhookSecretSchema = z
  .string({ error: webhookRules.secret })
  .regex(secretPattern, { error: webhookRules.secret });

/** The `webhook` of a request that makes a job. */
export const webhookRequestSchema = z.strictObject(
  {
    url: z
      .string({ error: webhookRules.url })
      .min(1, { error: webhookRules.url })
      .max(maxWebhookUrlLength, { error: webhookRules.url })
      .describe('Where the event is sent: http or https, without user name, password and fragment.'),
    secret: webhookSecretSchema
      .optional()
      .describe(
        "What the event is signed with: whsec_ and base64 of 24 to 64 bytes. Default: the bridge's own.",
      ),
    events: z
      .array(z.enum(webhookEventTypes, { error: webhookRules.events }), { error: webhookRules.events })
      .min(1, { error: webhookRules.events })
      .max(webhookEventTypes.length, { error: webhookRules.events })
      .optional()
      .describe('Which ends of the job are told. Default: all.'),
  },
  // A field too many is named by the default message.
  { error: ({ code }) => (code === 'unrecognized_keys' ? undefined : webhookRules.webhook) },
);

/** What is sent: a Standard Webhooks payload. */
export const webhookEventSchema = z.strictObject({
  type: z.enum(webhookEventTypes),
  /** When the job ended. */
  timestamp: z.iso.datetime(),
  data: v2JobSchema,
});

export type WebhookRequest = z.infer<typeof webhookRequestSchema>;
export type WebhookEvent = z.infer<typeof webhookEventSchema>;
