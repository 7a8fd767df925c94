import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { JobGroup } from '../../jobs/group-view.ts';
import { isTerminal, parseJobId } from '../../jobs/job.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStore } from '../../jobs/job-store.ts';
import { mapInChunks } from '../../lib/map-in-chunks.ts';
import type { Logger } from '../../logging.ts';

export interface JobGroupsDeps {
  ledger: Pick<JobLedger, 'get'>;
  records: Pick<JobStore, 'readRecords' | 'readRecord' | 'writeRecords' | 'removeRecords'>;
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
  log: Logger;
  now: () => number;
}

export interface JobGroupsOptions {
  /** Beyond these the oldest groups are forgotten; their jobs stay. Defaults 10,000 and 200,000. */
  maxGroups?: number;
  maxJobs?: number;
}

/** Which jobs were submitted together, kept over restarts until the last of them is gone. */
export interface JobGroups {
  /** Durable once resolved. */
  create(group: Pick<JobGroup, 'account' | 'workflow' | 'jobIds'>): Promise<JobGroup>;
  /** With its jobs in their order, undefined for one that is gone. Undefined when all are, or there never was such a group. */
  find(id: string): Promise<{ group: JobGroup; jobs: (Job | undefined)[] } | undefined>;
  /** Asks all its jobs to stop that have not ended. */
  cancel(group: JobGroup): Promise<void>;
  /** Forgets groups whose jobs are all gone. */
  sweep(): Promise<void>;
}

const collection = 'groups';
const sweepEveryMs = 60 * 60 * 1000;
const readsAtOnce = 100;

const recordSchema = z.object({
  id: z.uuid(),
  account: z.string(),
  workflow: z.string(),
  createdAt: z.number(),
  jobIds: z.array(z.uuid()).min(1),
});

export function createJobGroups(
  { ledger, records, cancel, log, now }: JobGroupsDeps,
  { maxGroups = 10_000, maxJobs = 200_000 }: JobGroupsOptions = {},
): JobGroups {
  /** How many jobs each has, oldest first: so much is known of all, their ids only in the store. */
  let sizes: Promise<Map<string, number>> | undefined;
  let sweptAt = -Infinity;

  function loadSizes(): Promise<Map<string, number>> {
    sizes ??= readSizes().catch((error: unknown) => {
      sizes = undefined;
      throw error;
    });
    return sizes;
  }

  async function readSizes(): Promise<Map<string, number>> {
    const groups = [...(await records.readRecords(collection)).values()].flatMap((text) => parse(text) ?? []);
    const oldestFirst = groups.toSorted((a, b) => a.createdAt - b.createdAt);
    return new Map(oldestFirst.map(({ id, jobIds }) => [id, jobIds.length]));
  }

  function parse(text: string | undefined): JobGroup | undefined {
    if (text === undefined) return undefined;
    try {
      const record = recordSchema.parse(JSON.parse(text));
      return { ...record, jobIds: record.jobIds.map(parseJobId) };
    } catch (error) {
      log.error({ err: error }, 'the record of a group of jobs is damaged and passed over');
      return undefined;
    }
  }

  /** Makes room for a group of so many jobs. */
  async function makeRoom(known: Map<string, number>, wanted: number): Promise<void> {
    let jobs = wanted;
    for (const size of known.values()) jobs += size;
    const forgotten: string[] = [];
    for (const [id, size] of known) {
      if (known.size - forgotten.length < maxGroups && jobs <= maxJobs) break;
      forgotten.push(id);
      jobs -= size;
    }
    if (forgotten.length > 0) await forget(known, forgotten);
  }

  async function forget(known: Map<string, number>, ids: readonly string[]): Promise<void> {
    await records.removeRecords(collection, ids);
    for (const id of ids) known.delete(id);
  }

  async function isGone({ jobIds }: JobGroup): Promise<boolean> {
    // Whichever is still there is told by the first chunk, most often.
    for (let at = 0; at < jobIds.length; at += readsAtOnce) {
      const jobs = await Promise.all(jobIds.slice(at, at + readsAtOnce).map((id) => ledger.get(id)));
      if (jobs.some((job) => job !== undefined)) return false;
    }
    return true;
  }

  async function sweep(): Promise<void> {
    sweptAt = now();
    const known = await loadSizes();
    for (const id of [...known.keys()]) {
      const group = parse(await records.readRecord(collection, id));
      if (group === undefined || (await isGone(group))) await forget(known, [id]);
    }
  }

  function sweepSoon(): void {
    if (now() - sweptAt < sweepEveryMs) return;
    sweep().catch((error: unknown) =>
      log.warn({ err: error }, 'could not look for groups whose jobs are gone'),
    );
  }

  return {
    async create(wanted) {
      const known = await loadSizes();
      await makeRoom(known, wanted.jobIds.length);
      const group = { ...wanted, id: randomUUID(), createdAt: now() };
      await records.writeRecords(collection, new Map([[group.id, JSON.stringify(group)]]), { durable: true });
      known.set(group.id, group.jobIds.length);
      sweepSoon();
      return group;
    },
    async find(id) {
      const group = parse(await records.readRecord(collection, id));
      if (group === undefined) return undefined;
      const jobs = await mapInChunks(group.jobIds, readsAtOnce, (jobId) => ledger.get(jobId));
      if (jobs.some((job) => job !== undefined)) return { group, jobs };
      await forget(await loadSizes(), [id]);
      return undefined;
    },
    async cancel({ jobIds }) {
      // The last ones first: those that wait must not begin because others before them end.
      await mapInChunks(jobIds.toReversed(), readsAtOnce, async (id) => {
        const job = await ledger.get(id);
        if (job !== undefined && !isTerminal(job.state.status)) await cancel(id, 'canceled by its owner');
      });
    },
    sweep,
  };
}
