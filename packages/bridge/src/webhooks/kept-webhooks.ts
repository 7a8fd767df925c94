import { BridgeError } from '../errors.ts';
import type { Logger } from '../logging.ts';
import { longestDelayMs } from './retry-schedule.ts';
import { parseWebhookRecord, toRecordText } from './webhook-record.ts';
import type { WebhookRecord } from './webhook-record.ts';

/** One collection of small texts that outlive the process, by job id. Calls take effect in the order in which they are made. */
export interface WebhookRecords {
  read(): Promise<ReadonlyMap<string, string>>;
  /** All or none. */
  write(entries: ReadonlyMap<string, string>): Promise<void>;
  remove(keys: readonly string[]): Promise<void>;
}

/** The webhooks whose job's end was not told yet, in memory and in records. */
export interface KeptWebhooks {
  get(jobId: string): WebhookRecord | undefined;
  count(): { due: number; registered: number };
  /** New ones, all or none. Rejects with `BridgeError`: `limited` or `unavailable`. */
  add(jobIds: readonly string[], record: WebhookRecord): Promise<void>;
  /** Never rejects: a record that cannot be changed costs at most a repeated delivery, under the same id. */
  put(jobId: string, record: WebhookRecord): Promise<void>;
  /** Never rejects, as `put`. */
  drop(jobIds: readonly string[]): Promise<void>;
  /** Brings back what an earlier process had kept; the ids of jobs whose end is to be told, and of the others. */
  load(): Promise<{ due: string[]; registered: string[] }>;
  /** Resolves when all changes so far are written. */
  written(): Promise<void>;
}

export function createKeptWebhooks(
  { records, log, now }: { records: WebhookRecords; log: Logger; now: () => number },
  { maxKept }: { maxKept: number },
): KeptWebhooks {
  const kept = new Map<string, WebhookRecord>();
  const writes = new Set<Promise<void>>();

  async function persist(change: Promise<void>): Promise<void> {
    const done = change.catch((err: unknown) => log.warn({ err }, 'a webhook could not be kept'));
    writes.add(done);
    await done;
    writes.delete(done);
  }

  function drop(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) kept.delete(jobId);
    return persist(records.remove(jobIds));
  }

  return {
    get: (jobId) => kept.get(jobId),
    count() {
      const counts = { due: 0, registered: 0 };
      for (const { message } of kept.values()) counts[message === null ? 'registered' : 'due'] += 1;
      return counts;
    },
    async add(jobIds, record) {
      if (kept.size + jobIds.length > maxKept) {
        const message = 'too many webhooks wait for their jobs: try again later, or follow the job instead';
        throw new BridgeError('limited', message, { retryAfter: 60 });
      }
      for (const jobId of jobIds) kept.set(jobId, record);
      try {
        await records.write(new Map(jobIds.map((jobId) => [jobId, toRecordText(record)])));
      } catch (cause) {
        for (const jobId of jobIds) kept.delete(jobId);
        const message = 'webhooks cannot be kept at the moment: try again later';
        throw new BridgeError('unavailable', message, { cause });
      }
    },
    put(jobId, record) {
      kept.set(jobId, record);
      return persist(records.write(new Map([[jobId, toRecordText(record)]])));
    },
    drop,
    async load() {
      const [due, registered, damaged]: [string[], string[], string[]] = [[], [], []];
      for (const [jobId, text] of await records.read()) {
        if (kept.has(jobId)) continue;
        const record = parseWebhookRecord(text);
        if (record === undefined) {
          damaged.push(jobId);
          continue;
        }
        kept.set(jobId, clampTime(record, now() + longestDelayMs));
        (record.message === null ? registered : due).push(jobId);
      }
      if (damaged.length > 0) {
        log.error({ jobIds: damaged.slice(0, 10) }, 'what was kept of webhooks is damaged and dropped');
        await drop(damaged);
      }
      return { due, registered };
    },
    async written() {
      await Promise.all(writes);
    },
  };
}

/** A clock that was wrong must not put a try off for years. */
function clampTime(record: WebhookRecord, latest: number): WebhookRecord {
  const { message } = record;
  return message === null ? record : { ...record, message: { ...message, at: Math.min(message.at, latest) } };
}
