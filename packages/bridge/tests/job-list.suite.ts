import { describe, expect, test } from 'vitest';

import type { AttemptRecord, Job, JobId } from '../src/jobs/job.ts';
import type { JobFilter, JobStore } from '../src/jobs/job-store.ts';
import { newJob } from './_new-job.ts';

const failed = { status: 'failed', error: { code: 'internal', message: 'x' } } as const;
const succeeded = { status: 'succeeded', results: [] } as const;

/** Lists and counts: what every job store must do, whatever it is made of. */
export function describeJobList(name: string, open: () => Promise<JobStore>): void {
  describe(`lists of jobs ${name}`, () => {
    test('jobs come newest first, those of one millisecond in the reverse order of coming', async () => {
      await using store = await open();
      const [old, second, third, newest] = await insertAll(store, [
        { at: 5 },
        { at: 7 },
        { at: 7 },
        { at: 9 },
      ]);
      const [early] = await insertAll(store, [{ at: 1 }]);
      expect(await store.list({ limit: 10 })).toEqual([newest, third, second, old, early]);
      expect(await store.list({ limit: 2 })).toEqual([newest, third]);
    });

    test('pages follow each other without a gap or a repetition, while jobs come and go', async () => {
      await using store = await open();
      const jobs = await insertAll(store, [{ at: 3 }, { at: 7 }, { at: 7 }, { at: 7 }, { at: 7 }, { at: 8 }]);
      const [a, b, c, d, e, f] = jobs;
      const first = await store.list({ limit: 2 });
      expect(first).toEqual([f, e]);
      await insertAll(store, [{ at: 9 }]);
      await store.remove(f?.id as JobId);
      const second = await store.list({ limit: 2, before: cursor(first.at(-1)) });
      expect(second).toEqual([d, c]);
      expect(await store.list({ limit: 9, before: cursor(second.at(-1)) })).toEqual([b, a]);
      expect(await store.list({ limit: 9, before: cursor(a) })).toEqual([]);
    });

    test('a cursor whose job is gone hides nothing: its millisecond is given again', async () => {
      await using store = await open();
      const [a, b, c, d] = await insertAll(store, [{ at: 3 }, { at: 7 }, { at: 7 }, { at: 8 }]);
      await store.remove(c?.id as JobId);
      expect(await store.list({ limit: 9, before: cursor(c) })).toEqual([b, a]);
      expect(await store.list({ limit: 9, before: cursor(d) })).toEqual([b, a]);
    });

    test('every given field of a filter must match', async () => {
      await using store = await open();
      const jobs = await insertAll(store, [
        { at: 1, clientId: 'one', workflow: 'x', state: failed },
        { at: 2, clientId: 'one', workflow: 'y', account: 'me' },
        { at: 3, clientId: 'two', workflow: 'x' },
        { at: 4, clientId: 'two', workflow: 'y', state: succeeded },
        { at: 5, clientId: null, workflow: 'x', state: failed, account: 'me' },
        { at: 6, clientId: 'one', workflow: 'x', state: succeeded },
      ]);
      const expectations: [Omit<JobFilter, 'limit'>, number[]][] = [
        [{ clientId: 'one' }, [6, 2, 1]],
        [{ clientId: 'one', workflow: 'x' }, [6, 1]],
        [{ clientId: 'one', workflow: 'x', statuses: ['failed', 'queued'] }, [1]],
        [{ clientId: 'one', statuses: ['queued', 'succeeded'] }, [6, 2]],
        [{ workflow: 'x' }, [6, 5, 3, 1]],
        [{ workflow: 'x', statuses: ['failed'] }, [5, 1]],
        [{ statuses: ['failed'] }, [5, 1]],
        [{ statuses: ['queued', 'failed', 'failed'] }, [5, 3, 2, 1]],
        [{ statuses: ['queued', 'failed'], before: cursor(jobs[4]) }, [3, 2, 1]],
        [{ statuses: [] }, []],
        [{ clientId: 'one', statuses: [] }, []],
        [{ clientId: 'nobody' }, []],
        [{ account: 'me' }, [5, 2]],
        [{ account: 'me', workflow: 'x', statuses: ['failed', 'queued'] }, [5]],
        [{ account: 'me', clientId: 'one' }, [2]],
        [{ account: 'you' }, []],
      ];
      for (const [filter, times] of expectations) {
        const found = (await store.list({ ...filter, limit: 10 })).map(({ createdAt }) => createdAt);
        expect(found, JSON.stringify(filter)).toEqual(times);
        const page = (await store.list({ ...filter, limit: 2 })).map(({ createdAt }) => createdAt);
        expect(page, JSON.stringify(filter)).toEqual(times.slice(0, 2));
      }
    });

    test('jobs are found by when they were made, where they ran, and what they are called', async () => {
      await using store = await open();
      const ranOn = (backend: string): AttemptRecord => ({
        ...{ backend, promptId: 'p', startedAt: 1, executingAt: null, endedAt: null },
        outcome: 'lost',
      });
      await insertAll(store, [
        { at: 1, clientId: 'Shop-1', workflow: 'upscale' },
        { at: 2, clientId: null, workflow: 'text-to-image', attempts: [ranOn('a'), ranOn('b')] },
        { at: 3, clientId: 'shop-2', workflow: 'Upscale', attempts: [ranOn('b')], account: 'me' },
        { at: 4, workflow: 'say "backend":"b"', hedge: { backend: 'c', promptId: 'q' } },
        { at: 5, state: failed, attempts: [ranOn('b"')] },
      ]);
      const expectations: [Omit<JobFilter, 'limit'>, number[]][] = [
        [{ since: 2 }, [5, 4, 3, 2]],
        [{ until: 2 }, [1]],
        [{ since: 2, until: 4 }, [3, 2]],
        [{ since: 2, statuses: ['queued'] }, [4, 3, 2]],
        [{ since: 3, account: 'me' }, [3]],
        [{ since: 4, account: 'me' }, []],
        [{ backend: 'b' }, [3, 2]],
        [{ backend: 'b"' }, [5]],
        [{ backend: 'c' }, [4]],
        [{ backend: 'b', account: 'me', statuses: ['queued'] }, [3]],
        [{ backend: 'b', statuses: ['failed'] }, []],
        [{ text: 'upsc' }, [3, 1]],
        [{ text: 'shop' }, [3, 1]],
        [{ text: '%' }, []],
        [{ text: 'shop', until: 3 }, [1]],
      ];
      for (const [filter, times] of expectations) {
        const found = (await store.list({ ...filter, limit: 10 })).map(({ createdAt }) => createdAt);
        expect(found, JSON.stringify(filter)).toEqual(times);
      }
      const [first] = await store.list({ limit: 1, until: 2 });
      const byId = await store.list({ limit: 10, text: first?.id.slice(4) ?? '' });
      expect(byId.map(({ id }) => id)).toEqual([first?.id]);
    });

    test('jobs are counted in the status that they have now', async () => {
      await using store = await open();
      expect(await store.countByStatus()).toEqual({});
      const [job] = await insertAll(store, [{ at: 1 }, { at: 2 }, { at: 3, state: failed }]);
      if (job !== undefined) await store.replace(job, { ...job, finishedAt: 4, state: failed });
      expect(await store.countByStatus()).toEqual({ queued: 1, failed: 2 });
    });
  });
}

async function insertAll(store: JobStore, wanted: (Partial<Job> & { at: number })[]): Promise<Job[]> {
  const jobs = wanted.map(({ at, ...fields }) => newJob({ createdAt: at, ...fields }));
  for (const job of jobs) await store.insert(job);
  return jobs;
}

function cursor(job: Job | undefined): NonNullable<JobFilter['before']> {
  if (job === undefined) throw new Error('a page without a last job');
  return { createdAt: job.createdAt, id: job.id };
}
