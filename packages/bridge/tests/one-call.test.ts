import { expect, test } from 'vitest';

import { picture } from './_files-fixtures.ts';
import { readJob, readRefusal, send } from './_named.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const waiting = { prefer: 'wait=60' };

/** Sends a request that waits, and gives the simulated ComfyUI's run of its job. */
async function sendWaiting(t: TestBridge, headers: Record<string, string> = {}, query = '') {
  const answer = send(t, { seed: 1 }, { headers: { ...waiting, ...headers }, query });
  answer.catch(() => {});
  return { answer, run: await t.sim.nextPrompt() };
}

test('the answer comes when the job is done, with its outputs', async () => {
  await using t = await startBridge();
  const { answer, run } = await sendWaiting(t);
  await run.finish({ images: 2 });
  const job = await readJob(answer, 200);
  expect(job).toMatchObject({ status: 'succeeded', progress: { value: 1 } });
  expect(job.outputs).toHaveLength(2);
  expect((await answer).headers.get('preference-applied')).toBe('wait=60');
});

test('one that takes longer is answered as it is, and goes on', async () => {
  await using t = await startBridge();
  const answer = await send(t, {}, { headers: { prefer: 'wait=1' } });
  const job = await readJob(answer, 202);
  expect(job.completed_at).toBeNull();
  expect(answer.headers.get('preference-applied')).toBe('wait=1');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await expect
    .poll(async () => (await readJob(t.get(job.urls.self), 200)).status, { timeout: 10_000 })
    .toBe('succeeded');
});

test('a failed job is a finished job', async () => {
  await using t = await startBridge();
  const { answer, run } = await sendWaiting(t);
  run.fail({ nodeId: '3', message: 'no luck' });
  expect(await readJob(answer, 200)).toMatchObject({
    status: 'failed',
    error: { code: 'node_execution_error' },
  });
});

test.each([
  'image/*',
  'image/png',
  'application/octet-stream',
  'image/webp, image/*;q=0.8, application/json;q=0.1',
])('who accepts %s gets the picture itself', async (accept) => {
  await using t = await startBridge();
  const { answer, run } = await sendWaiting(t, { accept });
  const bytes = await picture(40, 30).png().toBuffer();
  await run.finish({ images: [{ bytes }] });
  const { status, headers } = await answer;
  expect([status, headers.get('content-type')]).toEqual([200, 'image/png']);
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename="?text-to-image_/);
  expect(headers.get('preference-applied')).toBe('wait=60');
  expect(Buffer.from(await (await answer).arrayBuffer()).equals(bytes)).toBe(true);
  const job = await readJob(t.get(`/api/v2/jobs/${headers.get('x-job-id')}`), 200);
  expect(job.outputs).toHaveLength(1);
});

test.each([
  ['*/*', 1],
  ['application/json, image/*', 1],
  ['application/json, image/png', 1],
  ['video/*', 1],
  ['image/*', 2],
])('who accepts %s gets the job, with %i pictures', async (accept, images) => {
  await using t = await startBridge();
  const { answer, run } = await sendWaiting(t, { accept });
  await run.finish({ images });
  expect((await readJob(answer, 200)).outputs).toHaveLength(images);
});

test('in place of a picture, a job that failed or was canceled is refused with its reason', async () => {
  await using t = await startBridge();
  const first = await sendWaiting(t, { accept: 'image/*' });
  first.run.fail({ nodeId: '3', message: 'no luck' });
  const failed = await readRefusal(first.answer);
  expect(failed).toMatchObject({
    status: 422,
    code: 'run_failed',
    message: expect.stringContaining('no luck'),
    details: { status: 'failed', error: { code: 'node_execution_error', node_id: '3' } },
  });
  expect((await first.answer).headers.get('x-job-id')).toBe(failed.details?.['job_id']);
  const second = await sendWaiting(t, { accept: 'image/*' });
  const [job] = t.bridge.ledger.unfinished();
  await t.post(`/api/v2/jobs/${job?.id}/cancel`);
  expect(await readRefusal(second.answer)).toMatchObject({ status: 422, message: 'the job was canceled' });
});

test('without a wish to wait, Accept changes nothing', async () => {
  await using t = await startBridge();
  await readJob(send(t, {}, { headers: { accept: 'image/*' } }), 201);
});

test('a caller that hangs up leaves its job running', async () => {
  await using t = await startBridge();
  const gone = new AbortController();
  const queued = t.nextEvent('job:queued');
  const answer = send(t, {}, { headers: waiting, signal: gone.signal });
  await queued;
  const run = await t.sim.nextPrompt();
  gone.abort();
  await expect(answer).rejects.toThrow(/abort/);
  const finished = t.nextEvent('job:finished');
  await run.finish({ images: 1 });
  expect((await finished).job.state.status).toBe('succeeded');
});

test('with leave=cancel its job is canceled', async () => {
  await using t = await startBridge();
  const gone = new AbortController();
  const answer = send(t, {}, { headers: waiting, query: '?leave=cancel', signal: gone.signal });
  const run = await t.sim.nextPrompt();
  const finished = t.nextEvent('job:finished');
  gone.abort();
  await expect(answer).rejects.toThrow(/abort/);
  await run.interrupted;
  expect((await finished).job.state.status).toBe('canceled');
});

test('any other leave is refused before anything runs', async () => {
  await using t = await startBridge();
  const refusal = await readRefusal(send(t, {}, { headers: waiting, query: '?leave=60' }));
  expect(refusal).toMatchObject({ status: 400, code: 'bad_request' });
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
});

test('a repeat that waits gets the end of the first one’s job', async () => {
  await using t = await startBridge();
  const first = await sendWaiting(t, { 'idempotency-key': 'one' });
  await expect
    .poll(
      async () => {
        const probe = await send(t, { seed: 1 }, { headers: { 'idempotency-key': 'one' } });
        await probe.text();
        return probe.status;
      },
      { timeout: 10_000 },
    )
    .toBe(200);
  const again = send(t, { seed: 1 }, { headers: { ...waiting, 'idempotency-key': 'one' } });
  await first.run.finish({ images: 1 });
  const [one, two] = [await readJob(first.answer, 200), await readJob(again, 200)];
  expect(two).toEqual(one);
  expect((await again).headers.get('idempotency-replayed')).toBe('true');
});

test('a bridge that stops answers who waits with the job as it is', async () => {
  const t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '4' } });
  await using _bridge = t;
  const { answer } = await sendWaiting(t);
  const closed = t.bridge.close();
  expect((await readJob(answer, 202)).completed_at).toBeNull();
  await closed;
});
