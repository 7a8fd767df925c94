import { randomBytes } from 'node:crypto';

import { auditEntrySchema } from '@comfy-bridge/protocol';
import type { AuditEntry, AuditPage } from '@comfy-bridge/protocol';

import type { RecordCollections } from '../lib/records.ts';
import type { Logger } from '../logging.ts';

/** What is said of an entry; it holds no secrets, only names and ids. */
export type Audited = Pick<AuditEntry, 'action' | 'actor' | 'address' | 'target'> &
  Partial<Pick<AuditEntry, 'status' | 'count'>>;

/** Who did what when: in the log, and in the store, where the oldest go. */
export interface Audit extends AsyncDisposable {
  /** Returns at once; what cannot be kept is in the log. */
  record(entry: Audited): void;
  /** A refusal: of those alike, from one address, one a minute is recorded, with how many there were. */
  refuse(entry: Omit<Audited, 'action' | 'count'> & { status: number }): void;
  /** The newest first; those before `after`. */
  page(options: { limit: number; after?: string | undefined }): Promise<AuditPage>;
}

type Records = Pick<RecordCollections, 'readRecords' | 'writeRecords' | 'removeRecords'>;

export const auditCollection = 'audit';
const trimEvery = 500;
const maxWaiting = 1_000;
const maxNames = 1_000;
const minuteMs = 60_000;

export function createAudit(
  { records, now, log }: { records: Records; now: () => number; log: Logger },
  { maxEntries = 10_000 }: { maxEntries?: number } = {},
): Audit {
  /** Not written yet. */
  const waiting = new Map<string, string>();
  const refusals = new Map<string, { since: number; untold: number }>();
  let sinceTrim = trimEvery;
  let writing: Promise<void> | undefined;

  function record(audited: Audited): void {
    const entry = toEntry(audited, now());
    log.info({ ...entry }, 'audit');
    if (waiting.size >= maxWaiting) return;
    waiting.set(entry.id, JSON.stringify(entry));
    writing ??= write()
      .catch((error: unknown) => log.warn({ err: error }, 'the audit could not be written'))
      .finally(() => {
        writing = undefined;
      });
  }

  async function write(): Promise<void> {
    while (waiting.size > 0) {
      const some = new Map(waiting);
      waiting.clear();
      await records.writeRecords(auditCollection, some);
      sinceTrim += some.size;
      if (sinceTrim >= trimEvery) await trim();
    }
  }

  async function trim(): Promise<void> {
    sinceTrim = 0;
    const ids = [...(await records.readRecords(auditCollection)).keys()].toSorted();
    const old = ids.slice(0, Math.max(0, ids.length - maxEntries));
    if (old.length > 0) await records.removeRecords(auditCollection, old);
  }

  return {
    record,
    refuse(entry) {
      const name = `${entry.address ?? ''} ${entry.status}`;
      const known = refusals.get(name);
      if (known !== undefined && now() - known.since < minuteMs) {
        known.untold += 1;
        return;
      }
      refusals.delete(name);
      const [oldest] = refusals.keys();
      // With so many addresses at once, one entry stands for those that are forgotten.
      if (refusals.size >= maxNames && oldest !== undefined) {
        const { since } = refusals.get(oldest) ?? { since: 0 };
        if (now() - since < minuteMs) return;
        refusals.delete(oldest);
      }
      refusals.set(name, { since: now(), untold: 0 });
      record({ ...entry, action: 'refused', count: 1 + (known?.untold ?? 0) });
    },
    async page({ limit, after }) {
      const kept = await records.readRecords(auditCollection);
      const ids = [...kept.keys()].filter((id) => after === undefined || id < after);
      const newest = ids.toSorted().toReversed().slice(0, limit);
      return {
        entries: newest.flatMap((id) => parse(kept.get(id)) ?? []),
        next: ids.length > limit ? (newest.at(-1) ?? null) : null,
      };
    },
    async [Symbol.asyncDispose]() {
      await writing;
    },
  };
}

/** Ids are in the order of their times, whichever process wrote them. */
export function toEntry({ status = null, count = 1, ...audited }: Audited, now: number): AuditEntry {
  return {
    id: `${String(now).padStart(15, '0')}-${randomBytes(4).toString('hex')}`,
    at: new Date(now).toISOString(),
    ...audited,
    status,
    count,
  };
}

/** Undefined for what no version of ours has written. */
function parse(text: string | undefined): AuditEntry | undefined {
  if (text === undefined) return undefined;
  try {
    return auditEntrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}
