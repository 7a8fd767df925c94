import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { newJob } from './_new-job.ts';
import { temporaryStore } from './_temporary-store.ts';

/** The first published schema, as it was. */
const schema1 = `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    client_id TEXT,
    workflow TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    request TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    finished_at INTEGER,
    state TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_by_client ON jobs (client_id, seq);
  CREATE INDEX jobs_unfinished ON jobs (seq) WHERE finished_at IS NULL;
  CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  INSERT INTO counters VALUES ('generation', 7);
  INSERT INTO jobs (id, client_id, workflow, created_at, request, status, attempt, finished_at, state) VALUES (
    'old', 'client', 'upscale', 50, '{"prompt":{"3":{"class_type":"K","inputs":{"seed":18446744073709551615}}},"stagedInputs":[],"outputNodes":["9"]}',
    'queued', 2, NULL, '{"state":{"status":"queued"},"excluded":["a"],"startedAt":null,"deliveredAt":null}');
  PRAGMA user_version = 1;`;

test('jobs and the count are there after the store was closed and opened again', async () => {
  await using place = await temporaryStore();
  const [job, other] = [newJob(), newJob({ clientId: null })];
  {
    await using store = await openSqliteJobStore(place.path);
    await store.insert(job);
    await store.insert(other);
    await store.raiseGenerationCount(40);
  }
  expect(await readdir(place.directory)).toEqual(['bridge.lock', 'bridge.sqlite']);
  await using store = await openSqliteJobStore(place.path);
  expect(await store.unfinished()).toEqual([job, other]);
  expect(await store.generationCount()).toBe(40);
});

test('a data directory has one bridge at a time; the next one finds all that a killed one had written', async () => {
  await using place = await temporaryStore();
  const child = spawn(process.execPath, [join(import.meta.dirname, '_store-process.ts'), place.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    await expect(openSqliteJobStore(place.path)).rejects.toThrow(
      /the data directory is in use by another bridge/,
    );
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await using store = await openSqliteJobStore(place.path);
  expect((await store.unfinished()).map(({ state }) => state.status)).toEqual(['running', 'queued']);
  expect(await store.generationCount()).toBe(2);
});

test('two stores of one process cannot share a directory either, until the first is closed', async () => {
  await using place = await temporaryStore();
  const first = await openSqliteJobStore(place.path);
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(/in use/);
  await first[Symbol.asyncDispose]();
  await (await openSqliteJobStore(place.path))[Symbol.asyncDispose]();
});

test('a file of the first schema is taken over: its jobs lack nothing, and lists work', async () => {
  await using place = await temporaryStore();
  await mkdir(place.directory);
  const db = new DatabaseSync(place.path);
  db.exec(schema1);
  db.close();
  {
    await using store = await openSqliteJobStore(place.path);
    const old = await store.latestOf('client');
    expect(old).toEqual(
      newJob({
        ...{ id: old?.id ?? newJob().id, workflow: 'upscale', createdAt: 50, attempt: 2, excluded: ['a'] },
        ...{
          prompt: { '3': { class_type: 'K', inputs: { seed: 18446744073709551615n } } },
          stagedInputs: [],
        },
      }),
    );
    const job = newJob();
    await store.insert(job);
    expect(await store.list({ statuses: ['queued'], limit: 5 })).toEqual([job, old]);
    expect(await store.generationCount()).toBe(8);
    await store.writeRecords('things', new Map([['one', '1']]));
    if (old !== undefined) expect(await store.replace(old, { ...old, revision: 1, excluded: [] })).toBe(true);
  }
  {
    await using store = await openSqliteJobStore(place.path);
    expect(await store.readRecords('things')).toEqual(new Map([['one', '1']]));
  }
  const after = new DatabaseSync(place.path, { readOnly: true });
  expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 4 });
  after.close();
});

test('results that an older version kept are found by their ids', async () => {
  await using place = await temporaryStore();
  const result = { id: 'a-result', index: 0, nodeId: '9' };
  {
    await using store = await openSqliteJobStore(place.path);
    await store.insert(newJob({ clientId: 'client' }));
  }
  const db = new DatabaseSync(place.path);
  db.prepare(`UPDATE jobs SET status = 'succeeded', state = json_set(state, '$.state', json(?))`).run(
    JSON.stringify({ status: 'succeeded', results: [result] }),
  );
  // As the schema before had it.
  db.exec('DROP INDEX jobs_by_account; ALTER TABLE jobs DROP COLUMN account; DROP TABLE results;');
  db.exec('PRAGMA user_version = 3');
  db.close();
  await using store = await openSqliteJobStore(place.path);
  expect((await store.findByResult('a-result'))?.clientId).toBe('client');
});

test('a file of a newer version is refused and left as it is', async () => {
  await using place = await temporaryStore();
  await (await openSqliteJobStore(place.path))[Symbol.asyncDispose]();
  const db = new DatabaseSync(place.path);
  db.exec('PRAGMA user_version = 999');
  db.close();
  const before = await readFile(place.path);
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(
    /newer version of the bridge \(schema 999, this one knows \d+\)/,
  );
  expect((await readFile(place.path)).equals(before)).toBe(true);
});

test('a file that is no database is refused and left as it is', async () => {
  await using place = await temporaryStore();
  await mkdir(place.directory);
  await writeFile(place.path, 'my notes, which are worth more than any job '.repeat(100));
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(/bridge\.sqlite is damaged or not a database/);
  expect(await readFile(place.path, 'utf8')).toMatch(/^my notes/);
});

test('a folder that cannot be made and a file that cannot be written are named', async () => {
  await using place = await temporaryStore();
  await mkdir(place.path, { recursive: true });
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(
    /bridge\.sqlite cannot be written: give the bridge/,
  );
  const inTheWay = join(place.root, 'file');
  await writeFile(inTheWay, '');
  await expect(openSqliteJobStore(join(inTheWay, 'data/bridge.sqlite'))).rejects.toThrow(
    /data cannot be made: set/,
  );
});
