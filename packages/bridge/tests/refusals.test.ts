import { request } from 'node:http';

import { expect, test } from 'vitest';

import { detailOf, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const body = { workflow: 'text-to-image' };

test('a full queue is 429 with Retry-After; a free place is used again', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1', MAX_QUEUED_JOBS: '2' } });
  await submit(t, 'running');
  const run = await t.sim.nextPrompt();
  await submit(t, 'waits-1');
  await submit(t, 'waits-2');
  const answer = await t.post('/generate-based-workflow?clientId=late', body);
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await detailOf(answer)).toMatch(/queue is full/);
  await run.finish({ images: 1 });
  await t.sim.nextPrompt();
  await submit(t, 'late');
});

test('a flood of submits is taken up to the bound and refused beyond it, never lost', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1', MAX_QUEUED_JOBS: '50' } });
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, index) => t.post(`/generate-based-workflow?clientId=c${index}`, body)),
  );
  const accepted = answers.filter(({ status }) => status === 200).length;
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(120 - accepted);
  expect(accepted).toBeGreaterThanOrEqual(50);
  expect(accepted).toBeLessThanOrEqual(51);
  expect([...t.bridge.ledger.unfinished()]).toHaveLength(accepted);
});

test('a workflow that no ComfyUI can run is 503 at once, naming what is missing', async () => {
  await using t = await startBridge({ sims: 2, sim: { nodes: { remove: ['KSampler', 'VAEDecode'] } } });
  const answer = await t.post('/generate-based-workflow?clientId=one', body);
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await detailOf(answer)).toBe(
    'no ComfyUI of the fleet can run this workflow: backend-1 lacks node KSampler, node VAEDecode; ' +
      'backend-2 lacks node KSampler, node VAEDecode',
  );
  await submit(t, 'other', { workflow: 'upscale' });
});

test('a workflow that only one ComfyUI can run goes there', async () => {
  await using t = await startBridge({ sims: [{ nodes: { remove: ['KSampler'] } }, {}] });
  await submit(t, 'one');
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(t.sim.counters['POST /prompt']).toBeUndefined();
});

test('no ComfyUI reachable: queued, or refused with 503 and Retry-After where configured so', async () => {
  for (const ready of [true, false]) {
    await using t = await startBridge({ ready });
    await t.sim.refuse(true);
    expect((await submit(t, 'one')).detail).toBe('queued / 1');
  }
  await using strict = await startBridge({ env: { WHEN_NO_BACKEND: 'refuse' } });
  const lost = strict.nextEvent('backend:lost');
  await strict.sim.refuse(true);
  await lost;
  const answer = await strict.post('/generate-based-workflow?clientId=one', body);
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await detailOf(answer)).toMatch(/no ComfyUI is reachable/);
});

test('a bridge that shuts down refuses new work with 503 and Retry-After, on connections still open', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '5' } });
  // A request that keeps its connection busy, so that the bridge waits for it.
  const call = request(`${t.url}/generate-based-workflow?clientId=one`, { method: 'POST' });
  const answered = new Promise<{ status: number; retryAfter: number; body: string }>((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({
          status: statusCode,
          retryAfter: Number(headers['retry-after']),
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
  });
  call.write('{"workflow":');
  await expect.poll(() => call.socket?.bytesWritten ?? 0).toBeGreaterThan(100);
  expect((await t.get('/healthz')).status).toBe(200);
  const closing = t.bridge.close();
  call.end('"text-to-image"}');
  const answer = await answered;
  expect(answer.status).toBe(503);
  expect(answer.retryAfter).toBeGreaterThan(0);
  expect(JSON.parse(answer.body)).toEqual({ detail: expect.stringContaining('shutting down') });
  await closing;
});
