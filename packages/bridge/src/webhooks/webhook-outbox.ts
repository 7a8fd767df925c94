import type { WebhookEventType } from '@comfy-bridge/protocol';

import type { Logger } from '../logging.ts';
import type { DeliverWebhook, DeliveryOutcome } from './deliver-webhook.ts';
import { createDeliveryLine, startSystemTimer } from './delivery-line.ts';
import type { StartTimer } from './delivery-line.ts';
import { createKeptWebhooks } from './kept-webhooks.ts';
import type { WebhookRecords } from './kept-webhooks.ts';
import { toRetryDelay } from './retry-schedule.ts';
import type { WebhookRecord } from './webhook-record.ts';
import type { Webhook } from './webhook-target.ts';

/** The end of a job as it is told. */
export interface WebhookMessage {
  type: WebhookEventType;
  /** JSON */
  body: string;
}

/** `unknown`: there is no such job, or nothing is left to tell of it. */
export type KnownEnd = WebhookMessage | 'unfinished' | 'unknown';

/**
 * Tells the ends of jobs to those who asked for it, at least once each, over restarts.
 *
 *   registered ──job ended──► due ──2xx, 410──► dropped
 *       │                    ▲  │
 *       └─ not wanted: dropped  └──failed: due again later; after the last try given up
 */
export interface WebhookOutbox {
  /**
   * Keeps where the ends of these jobs are told, all or none; to be called before anybody hears of the jobs. Rejects with
   * `BridgeError`: `limited` when too many are kept, `unavailable` when they cannot be.
   */
  register(jobIds: readonly string[], webhook: Webhook, context: { origin: string }): Promise<void>;
  /** For jobs that were not made after all. */
  forget(jobIds: readonly string[]): Promise<void>;
  /** Does nothing for a job without a webhook; only for the others `makeMessage` is called. Never rejects. */
  jobEnded(jobId: string, makeMessage: (origin: string) => WebhookMessage): Promise<void>;
  /**
   * On start: takes over what an earlier process had kept, and asks for jobs that had ended without its being written down.
   * Those that end meanwhile may be told by `jobEnded` before, during and after.
   */
  resume(deps: { stateOf(jobId: string, origin: string): Promise<KnownEnd> }): Promise<ResumedWebhooks>;
  /** What is owed now: to be sent, and of jobs that go on. */
  owed(): { due: number; registered: number };
  /** Stops; what is under way may end for a second. What is not done is kept for the next start. */
  close(): Promise<void>;
}

export interface ResumedWebhooks {
  /** To be sent, now or later. */
  due: number;
  /** For jobs that go on. */
  registered: number;
  dropped: number;
}

export interface WebhookOutboxDeps {
  records: WebhookRecords;
  deliver: DeliverWebhook;
  log: Logger;
  now: () => number;
  /** After each try. `startedAt`: ms since the epoch. */
  onTried?: (tried: { jobId: string; outcome: TryOutcome; startedAt: number }) => void;
  startTimer?: StartTimer;
  /** From 0 to 1. */
  random?: () => number;
}

export type TryOutcome = 'delivered' | 'gone' | 'failed' | 'given-up';

export interface WebhookOutboxOptions {
  /** Default 20. */
  maxAtOnce?: number;
  /** Default 2. */
  maxPerHost?: number;
  /** Jobs with a webhook whose end was not told yet; default 10 000. */
  maxKept?: number;
}

const closeGraceMs = 1_000;

/** What is sent once: one state of one job's record. */
interface Sending {
  jobId: string;
  host: string;
  at: number;
}

export function createWebhookOutbox(
  deps: WebhookOutboxDeps,
  { maxAtOnce = 20, maxPerHost = 2, maxKept = 10_000 }: WebhookOutboxOptions = {},
): WebhookOutbox {
  const { records, deliver, log, now, startTimer = startSystemTimer, random = Math.random } = deps;
  const kept = createKeptWebhooks({ records, log, now }, { maxKept });
  let isClosed = false;
  const line = createDeliveryLine<Sending>(
    { send, now, startTimer },
    { atOnce: maxAtOnce, perHost: maxPerHost },
  );

  async function keep(jobId: string, record: WebhookRecord): Promise<void> {
    await kept.put(jobId, record);
    enqueue([jobId]);
  }

  function enqueue(jobIds: readonly string[]): void {
    if (isClosed) return;
    const due = jobIds.flatMap((jobId) => {
      const record = kept.get(jobId);
      return record?.message ? [{ jobId, host: hostOf(record), at: record.message.at }] : [];
    });
    line.add(due);
  }

  async function end(jobId: string, record: WebhookRecord, { type, body }: WebhookMessage): Promise<void> {
    if (!record.events.includes(type)) return kept.drop([jobId]);
    await keep(jobId, { ...record, message: { body, failures: 0, at: now() } });
  }

  async function send({ jobId }: Sending, signal: AbortSignal): Promise<void> {
    const record = kept.get(jobId);
    if (record?.message === undefined || record.message === null) return;
    const { url, secret, message } = record;
    const startedAt = now();
    const outcome = await deliver(
      { url, secret, eventId: toEventId(jobId), body: message.body },
      signal,
    ).catch((err: unknown): DeliveryOutcome => {
      log.error({ err, jobId }, 'a webhook could not be sent');
      return { kind: 'failed', reason: 'internal', retryAfterMs: undefined };
    });
    // Cut off by the stop: it was no try, and the next process makes it.
    if (signal.aborted && outcome.kind === 'failed') return;
    await settle(jobId, record, { ...outcome, startedAt });
  }

  async function settle(
    jobId: string,
    record: WebhookRecord,
    { startedAt, ...outcome }: DeliveryOutcome & { startedAt: number },
  ): Promise<void> {
    const tell = (outcome: TryOutcome) => deps.onTried?.({ jobId, outcome, startedAt });
    const failures = (record.message?.failures ?? 0) + (outcome.kind === 'failed' ? 1 : 0);
    const facts = { jobId, host: hostOf(record), failures };
    if (outcome.kind !== 'failed' || record.message === null) {
      tell(outcome.kind === 'gone' ? 'gone' : 'delivered');
      log.info(facts, outcome.kind === 'gone' ? 'webhook is not wanted any more' : 'webhook delivered');
      return kept.drop([jobId]);
    }
    const { reason, retryAfterMs: askedMs } = outcome;
    const delay = toRetryDelay(failures, { random: random(), askedMs });
    tell(delay === undefined ? 'given-up' : 'failed');
    if (delay === undefined) {
      log.warn({ ...facts, reason }, 'webhook given up');
      return kept.drop([jobId]);
    }
    log.info({ ...facts, reason, retryInMs: delay }, 'webhook failed and is tried again later');
    await keep(jobId, { ...record, message: { ...record.message, failures, at: now() + delay } });
  }

  return {
    register: (jobIds, webhook, { origin }) => kept.add(jobIds, { ...webhook, origin, message: null }),
    forget: (jobIds) => kept.drop(jobIds),
    owed: () => kept.count(),
    async jobEnded(jobId, makeMessage) {
      const record = kept.get(jobId);
      if (record === undefined || record.message !== null || isClosed) return;
      try {
        await end(jobId, record, makeMessage(record.origin));
      } catch (err) {
        // The record stays as it is, so that the next start asks again.
        log.error({ err, jobId }, 'what a webhook should tell could not be made');
      }
    },
    async resume({ stateOf }) {
      const { due, registered } = await kept.load();
      enqueue(due);
      const counts = { due: due.length, registered: 0, dropped: 0 };
      for (const jobId of registered) {
        const record = kept.get(jobId);
        const state = record?.message === null ? await stateOf(jobId, record.origin) : undefined;
        // Told by `jobEnded` in the meantime.
        if (record === undefined || state === undefined || kept.get(jobId) !== record) counts.due += 1;
        else if (state === 'unfinished') counts.registered += 1;
        else if (state === 'unknown' || !record.events.includes(state.type)) {
          counts.dropped += 1;
          await kept.drop([jobId]);
        } else {
          counts.due += 1;
          await end(jobId, record, state);
        }
      }
      return counts;
    },
    async close() {
      isClosed = true;
      await line.close(closeGraceMs);
      await kept.written();
    },
  };
}

/** A job ends once, so its id makes the event's: the same for every try, also when a crash has lost that one was made. */
function toEventId(jobId: string): string {
  return `msg_${jobId}`;
}

function hostOf({ url }: WebhookRecord): string {
  return new URL(url).hostname;
}
