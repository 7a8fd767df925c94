import type { WebhookEvent } from '@comfy-bridge/protocol';

import type { BridgeConfig } from './config/bridge-config.ts';
import { BridgeError } from './errors.ts';
import type { Events } from './events.ts';
import type { WebhookRegistry } from './http/requests/with-webhook.ts';
import { parseJobId } from './jobs/job.ts';
import type { Job } from './jobs/job.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Logger } from './logging.ts';
import { version } from './version.ts';
import { createAddressExceptions } from './lib/check-address.ts';
import { createWebhookDelivery } from './webhooks/deliver-webhook.ts';
import { createWebhookOutbox } from './webhooks/webhook-outbox.ts';
import type { KnownEnd, ResumedWebhooks, WebhookMessage } from './webhooks/webhook-outbox.ts';
import { parseWebhook } from './webhooks/webhook-target.ts';

export interface WebhookParts extends AsyncDisposable, WebhookRegistry {
  /** What is owed now: to be sent, and of jobs that go on. */
  owed(): { due: number; registered: number };
  /** Once on start, before the ends of jobs expire: sends what an earlier process had left. */
  resume(): Promise<ResumedWebhooks>;
}

export interface BuildWebhooksDeps {
  store: JobStore;
  events: Events;
  /** The job as its caller would read it at `origin` (`https://host`). */
  describe(job: Job, origin: string): WebhookEvent['data'];
  log: Logger;
  now: () => number;
}

const collection = 'webhooks';

/** A part of the composition root: tells the ends of jobs to the servers that their callers named. */
export function buildWebhooks(
  { secret, allow }: BridgeConfig['webhooks'],
  { store, events, describe, log, now }: BuildWebhooksDeps,
): WebhookParts {
  const exceptions = createAddressExceptions(allow);
  const defaultSecret = secret?.reveal();
  const outbox = createWebhookOutbox({
    records: {
      read: () => store.readRecords(collection),
      write: (entries) => store.writeRecords(collection, entries),
      remove: (keys) => store.removeRecords(collection, keys),
    },
    deliver: createWebhookDelivery({
      defaultSecret,
      exceptions,
      userAgent: `comfy-bridge/${version}`,
      now,
    }),
    log,
    now,
    onTried: (tried) => events.emit('webhook:tried', tried),
  });

  /** Undefined for a job that has not ended, or whose results have expired: how it ended is not known then. */
  function toMessage(job: Job, origin: string): WebhookMessage | undefined {
    const { status } = job.state;
    if (status !== 'succeeded' && status !== 'failed' && status !== 'canceled') return undefined;
    const type = `job.${status}` as const;
    const timestamp = new Date(job.finishedAt ?? job.createdAt).toISOString();
    const event: WebhookEvent = { type, timestamp, data: describe(job, origin) };
    return { type, body: JSON.stringify(event) };
  }

  async function stateOf(jobId: string, origin: string): Promise<KnownEnd> {
    const job = await store.get(parseJobId(jobId));
    if (job === undefined || job.state.status === 'expired') return 'unknown';
    return toMessage(job, origin) ?? 'unfinished';
  }

  const unsubscribe = events.on('job:finished', ({ job }) => {
    void outbox.jobEnded(job.id, (origin) => {
      const message = toMessage(job, origin);
      if (message === undefined) throw new Error(`a finished job is ${job.state.status}`);
      return message;
    });
  });

  return {
    parse(value, origin) {
      const parsed = parseWebhook(value, { hasDefaultSecret: defaultSecret !== undefined, exceptions });
      if (!parsed.ok) throw new BridgeError('bad_request', parsed.message);
      return { webhook: parsed.webhook, origin };
    },
    register: (jobIds, { webhook, origin }) => outbox.register(jobIds, webhook, { origin }),
    forget: (jobIds) => outbox.forget(jobIds),
    owed: () => outbox.owed(),
    resume: () => outbox.resume({ stateOf }),
    async [Symbol.asyncDispose]() {
      unsubscribe();
      await outbox.close();
    },
  };
}
