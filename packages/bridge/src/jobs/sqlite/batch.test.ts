import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { createBatchRunner } from './batch.ts';
import type { SqlRequest } from './messages.ts';

function openNumbers() {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT');
  return db;
}

let lastId = 0;

function add(numbers: number[], { durable = false } = {}): SqlRequest {
  const statements = numbers.map((n) => ({ sql: 'INSERT INTO numbers VALUES (?)', values: [n] }));
  return { id: ++lastId, kind: 'write', statements, durable };
}

function all(): SqlRequest {
  return { id: ++lastId, kind: 'read', statement: { sql: 'SELECT n FROM numbers ORDER BY n', values: [] } };
}

test('a commit is synced when one request in it asks for that, and only then', () => {
  using db = openNumbers();
  const run = createBatchRunner(db);
  const synchronous = () => db.prepare('PRAGMA synchronous').get()?.['synchronous'];
  const [full, normal] = [2, 1];
  run([add([1]), add([2], { durable: true }), add([3])]);
  expect(synchronous()).toBe(full);
  run([add([4]), add([5])]);
  expect(synchronous()).toBe(normal);
  run([add([6], { durable: true })]);
  expect(synchronous()).toBe(full);
});

test('a request that fails halfway is undone as a whole, and only it', () => {
  using db = openNumbers();
  const run = createBatchRunner(db);
  const answers = run([add([1]), add([2, 1]), add([3]), all()]);
  expect(answers.map(({ ok }) => ok)).toEqual([true, false, true, true]);
  expect(answers[1]).toMatchObject({ failure: { reason: 'refused' } });
  expect(answers[3]).toMatchObject({ value: [{ n: 1 }, { n: 3 }] });
  expect(db.isTransaction).toBe(false);
});

test('a wrong read is answered as refused and stops nobody', () => {
  using db = openNumbers();
  const run = createBatchRunner(db);
  const wrong: SqlRequest = { id: 0, kind: 'read', statement: { sql: 'SELECT nonsense', values: [] } };
  expect(run([add([1]), wrong, all()]).map(({ ok }) => ok)).toEqual([true, false, true]);
});

test('a commit that fails keeps nothing, tells every writer, and reads see what was there before', () => {
  using db = openNumbers();
  const run = createBatchRunner(db);
  run([add([1])]);
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 1034 });
    exec(sql);
  };
  const answers = run([add([2]), all(), add([3])]);
  expect(answers.map((answer) => (answer.ok ? answer.value : answer.failure.reason))).toEqual([
    'unavailable',
    [{ n: 1 }],
    'unavailable',
  ]);
  db.exec = exec;
  expect(run([add([2]), all()])[1]).toMatchObject({ value: [{ n: 1 }, { n: 2 }] });
});

test('reads alone begin no transaction, so that they work while another program writes', () => {
  using db = openNumbers();
  const run = createBatchRunner(db);
  const begun: string[] = [];
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    begun.push(sql);
    exec(sql);
  };
  run([all(), all()]);
  expect(begun).toEqual([]);
});
