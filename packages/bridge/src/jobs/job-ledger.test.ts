import { expect, onTestFinished, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { createEvents } from '../events.ts';
import { createLogger } from '../logging.ts';
import { createJobLedger } from './job-ledger.ts';
import { createMemoryJobStore } from './memory-job-store.ts';
import type { Job, JobResult } from './job.ts';

function resultOf(id: string): JobResult {
  const file = { fileName: 'a.png', contentType: 'image/png', type: 'image', size: 1 } as const;
  return { id, index: 0, nodeId: '9', ...file };
}

/** A ledger with one job whose first attempt runs, and the results that it announced. */
async function startLedger() {
  const events = createEvents((_name, error) => {
    throw error;
  });
  const log = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } });
  const ledger = createJobLedger({ store: createMemoryJobStore(), events, log });
  onTestFinished(() => ledger.close());
  const told: string[] = [];
  events.on('job:output', ({ result }) => told.push(result.id));
  const job: Job = newJob();
  await ledger.submit(job);
  const assign = () => ledger.apply(job.id, { type: 'assigned', backend: 'b', promptId: 'p', at: 1 });
  await assign();
  const idsOf = () => ledger.outputsOf(job.id).map(({ id }) => id);
  return { ledger, id: job.id, told, idsOf, assign };
}

test('the results of a running attempt are told, listed and found', async () => {
  const t = await startLedger();
  t.ledger.reportOutput(t.id, 1, resultOf('a'));
  t.ledger.reportOutput(t.id, 1, resultOf('b'));
  expect(t.told).toEqual(['a', 'b']);
  expect(t.idsOf()).toEqual(['a', 'b']);
  expect(await t.ledger.findResult('b')).toMatchObject({ job: { id: t.id }, result: { id: 'b' } });
  expect(await t.ledger.findResult('c')).toBeUndefined();
});

test('they go with their attempt, whatever the one that gave them says later', async () => {
  const t = await startLedger();
  t.ledger.reportOutput(t.id, 1, resultOf('a'));
  await t.ledger.apply(t.id, { type: 'requeued', attempt: 1, exclude: [], counts: true, at: 2 });
  expect(t.idsOf()).toEqual([]);
  expect(await t.ledger.findResult('a')).toBeUndefined();
  t.ledger.reportOutput(t.id, 1, resultOf('late'));
  await t.assign();
  t.ledger.reportOutput(t.id, 1, resultOf('later'));
  t.ledger.reportOutput(t.id, 2, resultOf('b'));
  t.ledger.dropOutputs(t.id, 1);
  expect(t.idsOf()).toEqual(['b']);
  expect(t.told).toEqual(['a', 'b']);
  t.ledger.dropOutputs(t.id, 2);
  expect(t.idsOf()).toEqual([]);
});

test('at the end only those of the job are found', async () => {
  const t = await startLedger();
  for (const id of ['a', 'b']) t.ledger.reportOutput(t.id, 1, resultOf(id));
  await t.ledger.apply(t.id, { type: 'succeeded', attempt: 1, results: [resultOf('b')], at: 3 });
  expect(t.idsOf()).toEqual([]);
  expect(await t.ledger.findResult('a')).toBeUndefined();
  expect(await t.ledger.findResult('b')).toMatchObject({ job: { state: { status: 'succeeded' } } });
});

test('while it is being canceled nothing new is told', async () => {
  const t = await startLedger();
  t.ledger.reportOutput(t.id, 1, resultOf('a'));
  await t.ledger.apply(t.id, { type: 'cancel-requested', reason: 'x', at: 2 });
  t.ledger.reportOutput(t.id, 1, resultOf('b'));
  expect(t.idsOf()).toEqual(['a']);
  await t.ledger.apply(t.id, { type: 'canceled', attempt: 1, reason: 'x', at: 3 });
  expect(t.idsOf()).toEqual([]);
  expect(t.told).toEqual(['a']);
});
