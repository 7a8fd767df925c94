import type { Request } from 'express';

import type { Job } from '../../jobs/job.ts';
import type { Webhook } from '../../webhooks/webhook-target.ts';
import { originOf } from './origin-of.ts';

/** A webhook as a request asks for it. */
export interface RequestedWebhook {
  webhook: Webhook;
  /** As the caller reaches the bridge, `https://host`. */
  origin: string;
}

export interface WebhookRegistry {
  /** Throws `bad_request` with what is wrong. */
  parse(value: unknown, origin: string): RequestedWebhook;
  /** Before anybody hears of the jobs. */
  register(jobIds: readonly string[], requested: RequestedWebhook): Promise<void>;
  /** For jobs that were not made after all. */
  forget(jobIds: readonly string[]): Promise<void>;
}

/**
 * Runs a submit whose `webhook` (undefined: none) is to be told of the end: registered before anybody hears of each job, and
 * forgotten again when the submit is refused.
 */
export async function withWebhook<T>(
  webhooks: WebhookRegistry,
  request: Request,
  value: unknown,
  submit: (prepare: (job: Job) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (value === undefined) return await submit(async () => {});
  const requested = webhooks.parse(value, originOf(request));
  const registered: string[] = [];
  try {
    return await submit(async ({ id }) => {
      await webhooks.register([id], requested);
      registered.push(id);
    });
  } catch (error) {
    if (registered.length > 0) await webhooks.forget(registered);
    throw error;
  }
}
