import { describe, expect, test } from 'vitest';

import type { Job, JobId, JobState } from '../src/jobs/job.ts';
import type { JobStore } from '../src/jobs/job-store.ts';
import { newJob } from './_new-job.ts';

const running: JobState = { status: 'running', phase: 'staging', backend: 'b', promptId: 'p' };
const result = {
  id: '00000000-0000-4000-8000-0000000000ff',
  index: 0,
  nodeId: '9',
  fileName: '고양이.png',
  contentType: 'image/png',
  type: 'image',
  size: 12,
  hash: 'blake3:ab',
} as const;

/** What every job store must do, whatever it is made of. */
export function describeJobStore(name: string, open: () => Promise<JobStore>): void {
  describe(`a job store ${name}`, () => {
    test('a job comes back as it was, 64-bit seeds and all', async () => {
      await using store = await open();
      const job = newJob({ clientId: null, excluded: ['a'], startedAt: 5, attempt: 3, state: running });
      await store.insert(job);
      expect(await store.get(job.id)).toEqual(job);
      expect(await store.get('unknown' as JobId)).toBeUndefined();
    });

    test('an id is taken once', async () => {
      await using store = await open();
      const job = newJob();
      await store.insert(job);
      await expect(store.insert({ ...job, workflow: 'other' })).rejects.toThrow(/exists|UNIQUE/);
      expect(await store.get(job.id)).toEqual(job);
      expect(await store.generationCount()).toBe(1);
    });

    test('a replacement keeps everything that changed', async () => {
      await using store = await open();
      const job = newJob();
      await store.insert(job);
      const next: Job = {
        ...job,
        attempt: 1,
        attempts: [
          { backend: 'b', promptId: 'p', startedAt: 7, executingAt: 8, endedAt: 9, outcome: 'succeeded' },
        ],
        revision: 3,
        startedAt: 7,
        finishedAt: 9,
        deliveredAt: 11,
        excluded: ['a', 'b'],
        state: { status: 'succeeded', results: [result] },
      };
      expect(await store.replace(job, next)).toBe(true);
      expect(await store.get(job.id)).toEqual(next);
    });

    test('a job is found by the id of a result, from its end to its removal', async () => {
      await using store = await open();
      const job = newJob({ attempt: 1, state: running });
      await store.insert(job);
      const next: Job = {
        ...job,
        revision: 1,
        finishedAt: 9,
        state: { status: 'succeeded', results: [result] },
      };
      expect(await store.replace({ ...job, revision: 7 }, next)).toBe(false);
      expect(await store.findByResult(result.id)).toBeUndefined();
      expect(await store.replace(job, next)).toBe(true);
      expect(await store.findByResult(result.id)).toEqual(next);
      expect(await store.findByResult('another')).toBeUndefined();
      const delivered = { ...next, revision: 2, deliveredAt: 10 };
      expect(await store.replace(next, delivered)).toBe(true);
      expect(await store.findByResult(result.id)).toEqual(delivered);
      await store.remove(job.id);
      expect(await store.findByResult(result.id)).toBeUndefined();
      await store.insert(job);
      expect(await store.replace(job, next)).toBe(true);
    });

    test('of two that start from the same state exactly one wins', async () => {
      await using store = await open();
      const job = newJob();
      await store.insert(job);
      const one: Job = { ...job, attempt: 1, state: running };
      const other: Job = { ...job, finishedAt: 4, state: { status: 'canceled', reason: 'x' } };
      expect(await Promise.all([store.replace(job, one), store.replace(job, other)])).toEqual([true, false]);
      expect(await store.get(job.id)).toEqual(one);
    });

    test('a change by an older attempt or from another state is refused', async () => {
      await using store = await open();
      const job = newJob({ attempt: 2, state: running });
      await store.insert(job);
      const next: Job = { ...job, finishedAt: 4, state: { status: 'expired' } };
      expect(await store.replace({ ...job, attempt: 1 }, next)).toBe(false);
      expect(await store.replace({ ...job, state: { status: 'queued' } }, next)).toBe(false);
      expect(await store.replace({ ...job, revision: 7 }, next)).toBe(false);
      expect(await store.replace(newJob(), next)).toBe(false);
      expect(await store.get(job.id)).toEqual(job);
    });

    test('a change that starts from a revision gone by is refused, though status and attempt are the same', async () => {
      await using store = await open();
      const job = newJob();
      await store.insert(job);
      const seen: Job = { ...job, revision: 1, excluded: ['a'] };
      expect(await store.replace(job, seen)).toBe(true);
      expect(await store.replace(job, { ...job, revision: 1, excluded: ['b'] })).toBe(false);
      expect(await store.replace(seen, { ...seen, revision: 2 })).toBe(true);
      expect(await store.get(job.id)).toEqual({ ...seen, revision: 2 });
    });

    test('a field that a job gets later is kept without the store knowing it', async () => {
      await using store = await open();
      const job = { ...newJob(), priority: 3, seed: 18446744073709551615n };
      await store.insert(job);
      expect(await store.get(job.id)).toEqual(job);
      const next = { ...job, priority: 4, attempt: 1, state: running };
      await store.replace(job, next);
      expect(await store.get(job.id)).toEqual(next);
    });

    test('calls that do not wait for each other take effect in their order, reads too', async () => {
      await using store = await open();
      const job = newJob();
      const next: Job = { ...job, attempt: 1, state: running };
      const seen = await Promise.all([
        store.get(job.id),
        store.insert(job),
        store.get(job.id),
        store.replace(job, next),
        store.unfinished(),
        store.remove(job.id),
        store.get(job.id),
        store.generationCount(),
      ]);
      expect(seen).toEqual([undefined, undefined, job, true, [next], undefined, undefined, 1]);
    });

    test('a call that fails leaves those made at the same time alone', async () => {
      await using store = await open();
      const [job, other] = [newJob(), newJob()];
      const outcomes = await Promise.allSettled([store.insert(job), store.insert(job), store.insert(other)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await store.unfinished()).toEqual([job, other]);
      expect(await store.generationCount()).toBe(2);
    });

    test('the latest of a client is the one made last, also within one millisecond', async () => {
      await using store = await open();
      const [first, second] = [newJob({ createdAt: 9 }), newJob({ createdAt: 9 })];
      await store.insert(first);
      await store.insert(second);
      await store.insert(newJob({ clientId: 'other' }));
      await store.insert(newJob({ clientId: null }));
      expect(await store.latestOf('client')).toEqual(second);
      expect(await store.latestOf('nobody')).toBeUndefined();
      await store.remove(second.id);
      expect(await store.latestOf('client')).toEqual(first);
    });

    test('the latest of a client is the one made last when the clock was set back', async () => {
      await using store = await open();
      await store.insert(newJob({ createdAt: 9_000 }));
      const later = newJob({ createdAt: 10 });
      await store.insert(later);
      expect(await store.latestOf('client')).toEqual(later);
    });

    test('unfinished jobs come oldest first, finished ones not at all', async () => {
      await using store = await open();
      const waiting = [newJob(), newJob({ attempt: 1, state: running }), newJob({ clientId: null })];
      const canceling = newJob({ state: { status: 'canceling', backend: 'b', promptId: 'p' } });
      const [one, two, three] = waiting;
      for (const job of [one, two, ended(1), three, canceling])
        if (job !== undefined) await store.insert(job);
      expect(await store.unfinished()).toEqual([...waiting, canceling]);
    });

    test('a job keeps its place when it comes back to the queue', async () => {
      await using store = await open();
      const [first, second] = [newJob(), newJob()];
      await store.insert(first);
      await store.insert(second);
      const lost: Job = { ...first, attempt: 1, state: running };
      const back: Job = { ...lost, state: { status: 'queued' } };
      await store.replace(first, lost);
      await store.replace(lost, back);
      expect(await store.unfinished()).toEqual([back, second]);
    });

    test('finished jobs before a time come oldest end first, and no more than asked for', async () => {
      await using store = await open();
      const jobs = [ended(300), ended(100), ended(200), ended(400)];
      for (const job of jobs) await store.insert(job);
      await store.insert(newJob());
      const [c, a, b] = jobs;
      expect(await store.finishedBefore(400, 10)).toEqual([a, b, c]);
      expect(await store.finishedBefore(400, 2)).toEqual([a, b]);
      expect(await store.finishedBefore(100, 10)).toEqual([]);
    });

    test('a page lists the newest first, and the next one goes on where it ended', async () => {
      await using store = await open();
      const jobs = [1, 2, 2, 3].map((createdAt) => newJob({ createdAt }));
      for (const job of jobs) await store.insert(job);
      const [one, two, twoLater, three] = jobs;
      const page = await store.list({ limit: 2 });
      expect(page).toEqual([three, twoLater]);
      expect(await store.list({ limit: 5, ...(twoLater !== undefined && { before: twoLater }) })).toEqual([
        two,
        one,
      ]);
    });

    test('a list is narrowed by client, status and workflow', async () => {
      await using store = await open();
      const [mine, theirs] = [
        newJob({ clientId: 'mine', workflow: 'a' }),
        newJob({ clientId: 'theirs', workflow: 'b' }),
      ];
      for (const job of [mine, theirs]) await store.insert(job);
      const failed = ended(5);
      await store.insert(failed);
      expect(await store.list({ clientId: 'mine', limit: 9 })).toEqual([mine]);
      expect(await store.list({ workflow: 'b', limit: 9 })).toEqual([theirs]);
      expect(await store.list({ statuses: ['failed', 'expired'], limit: 9 })).toEqual([failed]);
      expect(await store.list({ statuses: [], limit: 9 })).toEqual([]);
      expect(await store.countByStatus()).toEqual({ queued: 2, failed: 1 });
    });

    test('a removed job is gone, and removing it again is fine', async () => {
      await using store = await open();
      const job = newJob();
      await store.insert(job);
      await store.remove(job.id);
      await store.remove(job.id);
      expect(await store.get(job.id)).toBeUndefined();
      expect(await store.unfinished()).toEqual([]);
    });

    test('the generation count counts every job once, and removing takes none back', async () => {
      await using store = await open();
      expect(await store.generationCount()).toBe(0);
      const job = newJob();
      await store.insert(job);
      await store.replace(job, { ...job, attempt: 1, state: running });
      await store.insert(newJob());
      await store.remove(job.id);
      expect(await store.generationCount()).toBe(2);
    });

    test('the generation count is raised, never lowered', async () => {
      await using store = await open();
      await store.raiseGenerationCount(1_234);
      expect(await store.generationCount()).toBe(1_234);
      await store.raiseGenerationCount(7);
      await store.insert(newJob());
      expect(await store.generationCount()).toBe(1_235);
    });

    test('records are kept by collection and key, and a later one replaces the one before', async () => {
      await using store = await open();
      expect(await store.readRecords('a')).toEqual(new Map());
      await store.writeRecords(
        'a',
        new Map([
          ['one', '1'],
          ['둘', '{"n":2}'],
        ]),
      );
      await store.writeRecords('b', new Map([['one', 'other']]));
      await store.writeRecords(
        'a',
        new Map([
          ['one', ''],
          ['three', '3'],
        ]),
      );
      expect(await store.readRecords('a')).toEqual(
        new Map([
          ['one', ''],
          ['둘', '{"n":2}'],
          ['three', '3'],
        ]),
      );
      expect(await store.readRecords('b')).toEqual(new Map([['one', 'other']]));
    });

    test('removed records are gone, those of other collections stay, and unknown keys are passed over', async () => {
      await using store = await open();
      await store.writeRecords(
        'a',
        new Map([
          ['one', '1'],
          ['two', '2'],
        ]),
      );
      await store.writeRecords('b', new Map([['one', '1']]));
      await store.removeRecords('a', ['one', 'never']);
      await store.removeRecords('nowhere', ['one']);
      expect(await store.readRecords('a')).toEqual(new Map([['two', '2']]));
      expect(await store.readRecords('b')).toEqual(new Map([['one', '1']]));
    });

    test('of two that add a record under one key, one does; a collection is dropped whole', async () => {
      await using store = await open();
      const added = [store.addRecord('a', 'k', 'first'), store.addRecord('a', 'k', 'second')];
      expect(await Promise.all(added)).toEqual([true, false]);
      expect(await store.readRecord('a', 'k')).toBe('first');
      expect(await store.readRecord('b', 'k')).toBeUndefined();
      expect(await store.addRecord('b', 'k', 'other')).toBe(true);
      await store.dropRecords('a');
      expect(await store.readRecord('a', 'k')).toBeUndefined();
      expect(await store.readRecord('b', 'k')).toBe('other');
      expect(await store.addRecord('a', 'k', 'third')).toBe(true);
    });

    test('writing or removing no records does nothing, and what was read does not change afterwards', async () => {
      await using store = await open();
      await store.writeRecords('a', new Map());
      await store.removeRecords('a', []);
      const before = await store.readRecords('a');
      await store.writeRecords('a', new Map([['one', '1']]));
      if (before instanceof Map) before.set('two', '2');
      expect(await store.readRecords('a')).toEqual(new Map([['one', '1']]));
    });
  });
}

function ended(finishedAt: number): Job {
  return newJob({ finishedAt, state: { status: 'failed', error: { code: 'internal', message: 'x' } } });
}
