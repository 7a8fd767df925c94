import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { createBatchRunner } from './batch.ts';
import type { RunBatch } from './batch.ts';
import type { FromSqliteThread, SqlRequest, SqliteSettings, ToSqliteThread } from './messages.ts';
import { openDatabase } from './schema.ts';

// The thread that owns the database: everything that waits for a disk waits here and not in the bridge's event loop.

/** Requests in one transaction. A message is taken whole, so there may be somewhat more. */
const maxBatch = 512;

function main(): void {
  if (parentPort === null) throw new Error('this file runs as a worker thread of the bridge');
  const port = parentPort;
  const send = (message: FromSqliteThread) => port.postMessage(message);

  let db;
  try {
    db = openDatabase(parseSettings(workerData));
  } catch (error) {
    send({ kind: 'refused', message: error instanceof Error ? error.message : String(error) });
    return;
  }
  const runBatch: RunBatch = createBatchRunner(db);
  port.on('message', (first: unknown) => {
    const { requests, close } = takeWaiting(parseMessage(first), () => receiveMessageOnPort(port)?.message);
    if (requests.length > 0) send({ kind: 'answers', answers: runBatch(requests) });
    if (!close) return;
    // The last connection to close copies the log into the database and removes it.
    db.close();
    port.close();
  });
  send({ kind: 'ready' });
}

/** What is waiting now, in order, up to the bound: the more load, the more requests share one sync of the disk. */
function takeWaiting(
  first: ToSqliteThread,
  receive: () => unknown,
): { requests: SqlRequest[]; close: boolean } {
  const requests: SqlRequest[] = [];
  let message: ToSqliteThread | undefined = first;
  while (message !== undefined) {
    if (message.kind === 'close') return { requests, close: true };
    requests.push(...message.requests);
    if (requests.length >= maxBatch) break;
    const next = receive();
    message = next === undefined ? undefined : parseMessage(next);
  }
  return { requests, close: false };
}

/** Messages come from our own `SqliteThread` only. */
function parseMessage(message: unknown): ToSqliteThread {
  return message as ToSqliteThread;
}

function parseSettings(data: unknown): SqliteSettings {
  return data as SqliteSettings;
}

main();
