import { webhookEventSchema } from '@comfy-bridge/protocol';
import type { V2Job } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { buildWebhooks } from '../src/build-webhooks.ts';
import { createSecret } from '../src/config/secret.ts';
import { createEvents } from '../src/events.ts';
import { createJobLedger } from '../src/jobs/job-ledger.ts';
import type { Job, JobChange } from '../src/jobs/job.ts';
import type { JobStore } from '../src/jobs/job-store.ts';
import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { createLogger } from '../src/logging.ts';
import { newJob } from './_new-job.ts';
import { temporaryStore } from './_temporary-store.ts';
import { rest } from './_virtual-time.ts';
import { startEndpoint, testSecret, verifyWebhook } from './_webhook-endpoint.ts';

const log = createLogger({ level: 'silent', format: 'json' });
const endedAt = Date.UTC(2030, 0, 2, 3, 4, 5, 678);
const origin = 'https://bridge.example';

function describe(job: Job, base: string): V2Job {
  const self = `${base}/api/v2/jobs/${job.id}`;
  return {
    id: job.id,
    status: job.state.status,
    created_at: new Date(job.createdAt).toISOString(),
    started_at: null,
    completed_at: new Date(job.finishedAt ?? 0).toISOString(),
    expires_at: new Date((job.finishedAt ?? 0) + 1_000).toISOString(),
    queue_position: null,
    progress: null,
    outputs: [],
    error: null,
    urls: { self, events: `${self}/events`, cancel: `${self}/cancel` },
  };
}

/** The parts of one process over a store; `deaf`: it dies before it hears of any end. */
function startProcess(store: JobStore, { isDeaf = false, allow = ['127.0.0.1'] } = {}) {
  const events = createEvents((_name, error) => {
    throw error;
  });
  const ledger = createJobLedger({ store, events: isDeaf ? createEvents(() => {}) : events, log });
  const secret = createSecret(testSecret);
  const webhooks = buildWebhooks({ secret, allow }, { store, events, describe, log, now: Date.now });
  return { ledger, webhooks, [Symbol.asyncDispose]: () => webhooks[Symbol.asyncDispose]() };
}

type Process = ReturnType<typeof startProcess>;

async function submit({ ledger, webhooks }: Process, url: string, fields: Partial<Job> = {}): Promise<Job> {
  const job = newJob({ stagedInputs: [], ...fields });
  await webhooks.register([job.id], webhooks.parse({ url }, origin));
  await ledger.submit(job);
  await ledger.apply(job.id, { type: 'assigned', backend: 'a', promptId: 'p', at: endedAt - 1_000 });
  return job;
}

const succeeded: JobChange = { type: 'succeeded', attempt: 1, results: [], at: endedAt };
const error = { code: 'node_execution_error', message: 'out of memory' } as const;
const failed: JobChange = { type: 'failed', attempt: 1, error, at: endedAt };

test.for([
  ['job.succeeded', succeeded],
  ['job.failed', failed],
  ['job.canceled', { type: 'canceled', attempt: 1, reason: 'not wanted', at: endedAt }],
] as const)(
  '%s is told as a signed payload of Standard Webhooks with the job in it',
  async ([type, change]) => {
    await using endpoint = await startEndpoint();
    await using store = await openSqliteJobStore(':memory:');
    await using process = startProcess(store);
    const job = await submit(process, endpoint.url);
    await process.ledger.apply(job.id, change);
    await endpoint.waitFor(1);
    const event = webhookEventSchema.parse(verifyWebhook(endpoint.received[0]!));
    expect(event).toMatchObject({
      type,
      timestamp: '2030-01-02T03:04:05.678Z',
      data: {
        id: job.id,
        status: type.slice('job.'.length),
        urls: { self: `${origin}/api/v2/jobs/${job.id}` },
      },
    });
    expect(endpoint.received[0]!.headers['webhook-id']).toBe(`msg_${job.id}`);
  },
);

test('an end that was stored right before the process was killed is told by the next one', async () => {
  await using endpoint = await startEndpoint();
  await using place = await temporaryStore();
  let jobs: Job[] = [];
  {
    await using store = await openSqliteJobStore(place.path);
    await using dying = startProcess(store, { isDeaf: true });
    jobs = [await submit(dying, endpoint.url), await submit(dying, endpoint.url)];
    await dying.ledger.apply(jobs[0]!.id, succeeded);
  }
  expect(endpoint.received).toHaveLength(0);

  await using store = await openSqliteJobStore(place.path);
  await using next = startProcess(store);
  expect(await next.webhooks.resume()).toEqual({ due: 1, registered: 1, dropped: 0 });
  await endpoint.waitFor(1);
  expect(endpoint.received[0]!.headers['webhook-id']).toBe(`msg_${jobs[0]!.id}`);
  await next.ledger.apply(jobs[1]!.id, failed);
  await endpoint.waitFor(2);
  expect(verifyWebhook(endpoint.received[1]!)).toMatchObject({
    type: 'job.failed',
    data: { id: jobs[1]!.id },
  });
});

test('an end that was not told before a restart is told after it, under the same id with the same text', async () => {
  await using endpoint = await startEndpoint((response, nth) =>
    response.writeHead(nth === 1 ? 500 : 200).end(),
  );
  await using place = await temporaryStore();
  {
    await using store = await openSqliteJobStore(place.path);
    await using first = startProcess(store);
    const job = await submit(first, endpoint.url);
    await first.ledger.apply(job.id, succeeded);
    await endpoint.waitFor(1);
  }
  await using store = await openSqliteJobStore(place.path);
  // It is due in five seconds; a record with an earlier time stands for the wait.
  for (const [id, text] of await store.readRecords('webhooks')) {
    const record = JSON.parse(text);
    record.message.at = 0;
    await store.writeRecords('webhooks', new Map([[id, JSON.stringify(record)]]));
  }
  await using next = startProcess(store);
  await next.webhooks.resume();
  await endpoint.waitFor(2);
  const [before, after] = endpoint.received;
  expect([after!.body, after!.headers['webhook-id']]).toEqual([before!.body, before!.headers['webhook-id']]);
  verifyWebhook(after!);
});

test('nothing is told of a job that was never made, or whose results have expired', async () => {
  await using endpoint = await startEndpoint();
  await using store = await openSqliteJobStore(':memory:');
  {
    await using dying = startProcess(store, { isDeaf: true });
    const requested = dying.webhooks.parse({ url: endpoint.url }, origin);
    await dying.webhooks.register([newJob().id], requested);
    const expired = await submit(dying, endpoint.url);
    await dying.ledger.apply(expired.id, succeeded);
    await dying.ledger.apply(expired.id, { type: 'expired', at: endedAt + 1 });
  }
  await using next = startProcess(store);
  expect(await next.webhooks.resume()).toEqual({ due: 0, registered: 0, dropped: 2 });
  expect((await store.readRecords('webhooks')).size).toBe(0);
});

test('the secret of the bridge is never written down', async () => {
  await using store = await openSqliteJobStore(':memory:');
  await using process = startProcess(store);
  await submit(process, 'https://hook.example/');
  const [text = ''] = (await store.readRecords('webhooks')).values();
  expect(JSON.parse(text)).toMatchObject({ secret: null });
  expect(text).not.toContain(testSecret);
});

test('an address that is not allowed any more is not called, even by what an earlier process had accepted', async () => {
  await using endpoint = await startEndpoint();
  await using store = await openSqliteJobStore(':memory:');
  let job: Job;
  {
    await using dying = startProcess(store, { isDeaf: true });
    job = await submit(dying, endpoint.url);
  }
  await using next = startProcess(store, { allow: [] });
  expect(() => next.webhooks.parse({ url: endpoint.url }, origin)).toThrow(/WEBHOOK_ALLOW/);
  await next.webhooks.resume();
  await next.ledger.apply(job.id, succeeded);
  // The failure is what is written last.
  let record: { message: { failures: number } | null } = { message: null };
  while (record.message?.failures !== 1) {
    await rest();
    record = JSON.parse([...(await store.readRecords('webhooks')).values()][0] ?? '{}');
  }
  expect(endpoint.connections()).toBe(0);
});
