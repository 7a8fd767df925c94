import { readdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';

import { expect, test } from 'vitest';

import type { Job } from '../src/jobs/job.ts';
import { JobStoreError } from '../src/jobs/job-store.ts';
import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { spawnSqliteWorker } from '../src/jobs/sqlite/thread.ts';
import { newJob } from './_new-job.ts';
import { temporaryStore } from './_temporary-store.ts';

const full = { name: 'JobStoreError', reason: 'full' };
const unavailable = { name: 'JobStoreError', reason: 'unavailable' };

function bulkyJob(): Job {
  return newJob({ prompt: { '6': { class_type: 'Text', inputs: { text: 'x'.repeat(20_000) } } } });
}

test('a full disk refuses what does not fit, keeps what was acknowledged, and takes jobs again once there is room', async () => {
  await using store = await openSqliteJobStore(':memory:', { maxPages: 60 });
  const kept: Job[] = [];
  let refusal: unknown;
  for (let n = 0; n < 100; n += 1) {
    const job = bulkyJob();
    try {
      await store.insert(job);
    } catch (error) {
      refusal = error;
      break;
    }
    kept.push(job);
  }
  expect(refusal).toBeInstanceOf(JobStoreError);
  expect(refusal).toMatchObject(full);
  expect(await store.unfinished()).toEqual(kept);
  expect(await store.generationCount()).toBe(kept.length);

  const [first, second] = kept;
  if (first === undefined || second === undefined) throw new Error('nothing fitted');
  expect(await store.replace(first, { ...first, revision: 1 })).toBe(true);
  await store.remove(second.id);
  const late = bulkyJob();
  await store.insert(late);
  expect(await store.latestOf('client')).toEqual(late);
  expect(await store.generationCount()).toBe(kept.length + 1);
});

test('what shares a commit with a job that does not fit is refused with it, and reads tell what is really there', async () => {
  await using store = await openSqliteJobStore(':memory:', { maxPages: 60 });
  const small = newJob();
  const bulky = Array.from({ length: 50 }, bulkyJob);
  const [first, seen, ...rest] = await Promise.allSettled([
    store.insert(small),
    store.get(small.id),
    ...bulky.map((job) => store.insert(job)),
  ]);
  expect(first).toMatchObject({ status: 'rejected', reason: full });
  expect(seen).toEqual({ status: 'fulfilled', value: undefined });
  expect(new Set(rest.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(await store.countByStatus()).toEqual({});
  expect(await store.generationCount()).toBe(0);
  await store.insert(small);
  expect(await store.get(small.id)).toEqual(small);
});

test('a database that another program holds refuses writes, still answers reads, and works again when it is let go', async () => {
  await using place = await temporaryStore();
  await using store = await openSqliteJobStore(place.path, { busyTimeoutMs: 20 });
  const [job, other] = [newJob(), newJob()];
  await store.insert(job);
  const stranger = new DatabaseSync(place.path);
  stranger.exec('BEGIN IMMEDIATE');
  await expect(store.insert(other)).rejects.toMatchObject(unavailable);
  await expect(store.remove(job.id)).rejects.toMatchObject(unavailable);
  expect(await store.unfinished()).toEqual([job]);
  stranger.exec('ROLLBACK');
  stranger.close();
  await store.insert(other);
  expect(await store.unfinished()).toEqual([job, other]);
});

test('when the database thread dies, what it held is refused, the directory stays locked, and a new thread goes on', async () => {
  await using place = await temporaryStore();
  const threads: Worker[] = [];
  const causes: unknown[] = [];
  await using store = await openSqliteJobStore(place.path, {
    onLost: (cause) => causes.push(cause),
    spawn: (settings) => {
      const thread = spawnSqliteWorker(settings);
      threads.push(thread);
      return thread;
    },
  });
  const [before, during, after] = [newJob(), newJob(), newJob()];
  await store.insert(before);
  const stranger = new DatabaseSync(place.path);
  stranger.exec('BEGIN IMMEDIATE');
  const held = expect(store.insert(during)).rejects.toMatchObject(unavailable);
  const gone = threads[0]?.terminate();
  stranger.exec('ROLLBACK');
  stranger.close();
  await held;
  await gone;
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(/in use/);
  // Made while no thread is there: waits for the new one.
  await store.insert(after);
  expect(await store.unfinished()).toEqual([before, after]);
  expect(threads).toHaveLength(2);
  expect(causes).toHaveLength(1);
});

test('a write that was kept by a thread that died before it could say so is acknowledged, once', async () => {
  await using place = await temporaryStore();
  let swallowNext = false;
  await using store = await openSqliteJobStore(place.path, {
    spawn: (settings) => {
      const thread = spawnSqliteWorker(settings);
      const on = thread.on.bind(thread) as (event: string, listener: (message: unknown) => void) => Worker;
      thread.on = ((event: string, listener: (message: unknown) => void) =>
        on(event, (message) => {
          if (event !== 'message' || !swallowNext) return listener(message);
          swallowNext = false;
          void thread.terminate();
        })) as typeof thread.on;
      return thread;
    },
  });
  const job = newJob();
  swallowNext = true;
  await store.insert(job);
  expect(await store.get(job.id)).toEqual(job);
  expect(await store.generationCount()).toBe(1);
  const ended: Job = { ...job, revision: 1, finishedAt: 5, state: { status: 'canceled', reason: 'x' } };
  swallowNext = true;
  expect(await store.replace(job, ended)).toBe(true);
  expect(await store.get(job.id)).toEqual(ended);
  swallowNext = true;
  expect(
    await store.replace(job, { ...ended, finishedAt: 6 }).catch((error: unknown) => error),
  ).toMatchObject(unavailable);
  expect(await store.get(job.id)).toEqual(ended);
});

test('a thread that cannot open the database again refuses what waited for it, and a later one goes on', async () => {
  await using place = await temporaryStore();
  let breakNext = false;
  const threads: Worker[] = [];
  await using store = await openSqliteJobStore(place.path, {
    spawn: (settings) => {
      if (breakNext) settings = { ...settings, path: place.directory };
      breakNext = false;
      const thread = spawnSqliteWorker(settings);
      threads.push(thread);
      return thread;
    },
  });
  breakNext = true;
  await threads[0]?.terminate();
  const [refused, taken] = [newJob(), newJob()];
  await expect(store.insert(refused)).rejects.toMatchObject(unavailable);
  await store.insert(taken);
  expect(await store.unfinished()).toEqual([taken]);
  expect(threads).toHaveLength(3);
});

test('more requests than may wait are refused at once, and the others are kept', async () => {
  await using store = await openSqliteJobStore(':memory:', { maxPending: 2 });
  const jobs = [newJob(), newJob(), newJob()];
  const outcomes = await Promise.allSettled(jobs.map((job) => store.insert(job)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(outcomes[2]).toMatchObject({ reason: unavailable });
  expect(await store.unfinished()).toEqual(jobs.slice(0, 2));
});

test('closing keeps what was called before, leaves no log behind, refuses what comes after, and may be done twice', async () => {
  await using place = await temporaryStore();
  const jobs = Array.from({ length: 2_000 }, () => newJob());
  const store = await openSqliteJobStore(place.path);
  const inserted = Promise.all(jobs.map((job) => store.insert(job)));
  const closed = store[Symbol.asyncDispose]();
  await expect(store.insert(newJob())).rejects.toMatchObject(unavailable);
  await expect(store.generationCount()).rejects.toMatchObject(unavailable);
  await inserted;
  await closed;
  await store[Symbol.asyncDispose]();
  expect(await readdir(place.directory)).toEqual(['bridge.lock', 'bridge.sqlite']);
  await using again = await openSqliteJobStore(place.path);
  expect(await again.unfinished()).toEqual(jobs);
});
