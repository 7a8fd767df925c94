import { copyFile, mkdir, readFile, readdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { parseJobId } from '../src/jobs/job.ts';
import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { openDatabase, schemaVersion } from '../src/jobs/sqlite/schema.ts';
import { newJob } from './_new-job.ts';
import { temporaryStore } from './_temporary-store.ts';

/** Dumps of databases that the bridge of each schema wrote itself; the one of the present schema is the last. */
const dumps = [
  { name: '1', version: 1 },
  { name: '2', version: 2 },
  { name: '3', version: 3 },
  { name: '4-as-first-made', version: 4 },
  { name: '4', version: 4 },
];
const fixtures = join(import.meta.dirname, 'fixtures/schemas');
const id = (number: number) => parseJobId(`00000000-0000-4000-8000-00000000000${number}`);
const settings = (path: string) => ({ path, busyTimeoutMs: 100, maxPages: null });

async function restoreDump(name: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  using db = new DatabaseSync(path);
  db.exec(await readFile(join(fixtures, `${name}.sql`), 'utf8'));
}

/** Everything that the tables hold, by table. */
function contentOf(path: string): Record<string, unknown[]> {
  using db = new DatabaseSync(path, { readOnly: true });
  const columns = 'seq, id, client_id, workflow, created_at, request, status, attempt, finished_at, state';
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const names = tables.map((row) => String(row['name'])).filter((name) => name !== 'sqlite_sequence');
  return Object.fromEntries(
    names.map((name) => [
      name,
      db.prepare(`SELECT ${name === 'jobs' ? columns : '*'} FROM ${name} ORDER BY 1, 2`).all(),
    ]),
  );
}

/** Tables, columns and indexes, whatever way they came to be. */
function shapeOf(path: string): unknown {
  using db = new DatabaseSync(path, { readOnly: true });
  const names = db.prepare("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").all();
  return names
    .map(({ type, name }) => ({
      type,
      name,
      columns: db.prepare(`PRAGMA table_xinfo(${String(name)})`).all(),
      indexed: db.prepare(`PRAGMA index_xinfo(${String(name)})`).all(),
    }))
    .toSorted((a, b) => String(a.name).localeCompare(String(b.name)));
}

test('there is a dump of every schema that there has been', async () => {
  expect(new Set(dumps.map(({ version }) => version))).toEqual(
    new Set(Array.from({ length: schemaVersion }, (_, index) => index + 1)),
  );
  expect((await readdir(fixtures)).toSorted()).toEqual(dumps.map(({ name }) => `${name}.sql`).toSorted());
});

test.each(dumps)(
  'a database of schema $name keeps all of its jobs and records',
  async ({ name, version }) => {
    await using place = await temporaryStore();
    await restoreDump(name, place.path);
    const before = contentOf(place.path);
    {
      await using store = await openSqliteJobStore(place.path);
      expect((await store.unfinished()).map(({ id, state }) => [id, state.status])).toEqual([
        [id(1), 'queued'],
        [id(2), 'running'],
      ]);
      expect(await store.get(id(1))).toMatchObject({
        clientId: 'client-1',
        workflow: 'text-to-image',
        prompt: { '3': { inputs: { seed: 18446744073709551615n, cfg: 7.5 } } },
        stagedInputs: [{ source: { kind: 'upload', savedName: 'cat.png' } }],
        outputNodes: ['9'],
        excluded: [],
      });
      // Every field that a job has now is there, with its value of before there was one.
      expect(Object.keys((await store.get(id(1))) ?? {}).toSorted()).toEqual(
        Object.keys(newJob()).toSorted(),
      );
      expect(await store.get(id(2))).toMatchObject({
        attempt: 1,
        state: { backend: 'studio', promptId: id(2), phase: 'executing' },
      });
      expect(await store.get(id(3))).toMatchObject({ deliveredAt: null, state: { status: 'succeeded' } });
      expect(await store.get(id(4))).toMatchObject({ deliveredAt: 1_795_000_005_000 });
      expect(await store.get(id(5))).toMatchObject({ state: { error: { message: /no luck/ } } });
      expect(await store.countByStatus()).toEqual({
        queued: 1,
        running: 1,
        succeeded: 2,
        failed: 1,
        canceled: 1,
      });
      expect(await store.generationCount()).toBe(41);
      expect(await store.latestOf('client-5')).toMatchObject({ id: id(5) });
      const machines = await store.readRecords('backends');
      expect([...machines.keys()]).toEqual(version >= 3 ? ['gpu-1'] : []);
    }
    const after = contentOf(place.path);
    for (const [table, rows] of Object.entries(before)) expect(after[table], table).toEqual(rows);
  },
);

test.each(dumps)('a database of schema $name works like a new one afterwards', async ({ name }) => {
  await using place = await temporaryStore();
  await restoreDump(name, place.path);
  const fresh = join(place.directory, 'fresh.sqlite');
  openDatabase(settings(fresh)).close();
  await using store = await openSqliteJobStore(place.path);
  expect(shapeOf(place.path)).toEqual(shapeOf(fresh));

  const running = await store.get(id(2));
  if (running === undefined) throw new Error('the job that ran is gone');
  const results = [
    { id: 'r', index: 0, nodeId: '9', fileName: 'a.png', contentType: 'image/png', type: 'image', size: 1 },
  ] as const;
  const next = { ...running, revision: running.revision + 1, finishedAt: 2, account: 'mine' };
  expect(await store.replace(running, { ...next, state: { status: 'succeeded', results } })).toBe(true);
  expect(await store.findByResult('r')).toMatchObject({ id: id(2) });
  expect(await store.list({ account: 'mine', limit: 5 })).toMatchObject([{ id: id(2) }]);
  const added = newJob({ id: id(9) });
  await store.insert(added);
  expect((await store.unfinished()).at(-1)).toEqual(added);
  expect(await store.generationCount()).toBe(42);
});

test('results of jobs from before are found by their ids from the schema on that gave them some', async () => {
  await using place = await temporaryStore();
  await restoreDump('2', place.path);
  await using store = await openSqliteJobStore(place.path);
  expect(await store.findByResult('11111111-0000-4000-8000-000000000031')).toMatchObject({ id: id(3) });
});

test('before a migration the database is copied for its owner alone; the version of before can go on with the copy', async () => {
  await using place = await temporaryStore();
  await restoreDump('2', place.path);
  const before = contentOf(place.path);
  await (await openSqliteJobStore(place.path))[Symbol.asyncDispose]();
  const copy = `${place.path}.schema-2`;
  expect(contentOf(copy)).toEqual(before);
  using db = new DatabaseSync(copy);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
  if (process.platform !== 'win32') expect((await stat(copy)).mode & 0o777).toBe(0o600);
  // Gone back to, it is migrated again later.
  await copyFile(copy, place.path);
  await using again = await openSqliteJobStore(place.path);
  expect(await again.generationCount()).toBe(41);
});

test('the copy goes a week later, a new database needs none, and one that is as it should be is left alone', async () => {
  await using place = await temporaryStore();
  await restoreDump('3', place.path);
  const open = async () => (await openSqliteJobStore(place.path))[Symbol.asyncDispose]();
  const copies = async () => (await readdir(place.directory)).filter((name) => name.includes('.schema-'));
  await open();
  await open();
  expect(await copies()).toEqual(['bridge.sqlite.schema-3']);
  const longAgo = Date.now() / 1000 - 8 * 86_400;
  await utimes(`${place.path}.schema-3`, longAgo, longAgo);
  await open();
  expect(await copies()).toEqual([]);
});

test('a database of a newer bridge is refused with what to do, and left as it is', async () => {
  await using place = await temporaryStore();
  await restoreDump('4', place.path);
  {
    using db = new DatabaseSync(place.path);
    db.exec(`ALTER TABLE jobs ADD COLUMN future TEXT; PRAGMA user_version = ${schemaVersion + 1}`);
  }
  const before = await readFile(place.path);
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(
    `newer version of the bridge (schema ${schemaVersion + 1}, this one knows ${schemaVersion}): start that version`,
  );
  expect(await readFile(place.path)).toEqual(before);
  expect((await readdir(place.directory)).filter((name) => name.includes('.schema-'))).toEqual([]);
});

test('a migration that fails halfway changes nothing, and the copy is there', async () => {
  await using place = await temporaryStore();
  await restoreDump('2', place.path);
  {
    using db = new DatabaseSync(place.path);
    // In the way of the last migration.
    db.exec('CREATE TABLE results (one TEXT, other TEXT)');
  }
  const before = contentOf(place.path);
  await expect(openSqliteJobStore(place.path)).rejects.toThrow(/results/);
  expect(contentOf(place.path)).toEqual(before);
  using db = new DatabaseSync(place.path);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
  expect(contentOf(`${place.path}.schema-2`)).toEqual(before);
});
