import { request } from 'node:http';

import { expect, test } from 'vitest';

import { ended, parseBody, submit, upgrade } from './_requests.ts';
import { startWorld } from './_world.ts';
import { openSocket } from './_ws-client.ts';

/** A request under way, so that the port stays open while the bridge stops. */
function holdOpen(url: string) {
  const call = request(url, { method: 'POST', agent: false });
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
  });
  call.write('{"workflow":');
  return { bytesSent: () => call.socket?.bytesWritten ?? 0, answered };
}

test('while the last work ends: new work is refused with 503 and Retry-After, health says so, results still come', async () => {
  await using world = await startWorld();
  const { sim } = world;
  await using t = await world.start({ env: { SHUTDOWN_TIMEOUT: '10' } });
  for (const clientId of ['a', 'b', 'c']) {
    await submit(t, clientId);
    await (await sim.nextPrompt()).finish({ images: 1 });
    await t.nextEvent('job:finished');
  }
  await submit(t, 'short');
  const run = await sim.nextPrompt();
  run.progress(19, 20, '3');
  using client = await openSocket(`${t.wsUrl}/ws?clientId=short`);
  await client.next('progress');
  const closing = t.bridge.close();
  for (const path of ['/generate-based-workflow?clientId=late', '/upload']) {
    const answer = await t.post(path, { workflow: 'text-to-image' });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await parseBody(answer)).toEqual({ detail: expect.stringContaining('shutting down') });
  }
  expect((await upgrade(`${t.wsUrl}/ws?clientId=late`)).status).toBe(503);
  expect((await t.get('/readyz')).status).toBe(503);
  expect((await t.get('/healthz')).status).toBe(200);
  expect((await t.get('/history?clientId=a')).status).toBe(200);
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  await closing;
  expect(t.errors).toEqual([]);
});

test('what takes longer is left running, not interrupted, and the stop takes no longer than it may', async () => {
  await using world = await startWorld();
  const { sim } = world;
  await using t = await world.start({ env: { SHUTDOWN_TIMEOUT: '1' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=long`);
  using idle = await openSocket(`${t.wsUrl}/ws?clientId=idle`);
  await submit(t, 'long');
  const run = await sim.nextPrompt();
  run.progress(1, 20, '3');
  await client.next('progress');
  const busy = holdOpen(`${t.url}/generate-based-workflow?clientId=busy`);
  busy.answered.catch(() => {});
  await expect.poll(busy.bytesSent).toBeGreaterThan(100);
  // Answered behind it, so its head has been read.
  expect((await t.get('/healthz')).status).toBe(200);
  const began = performance.now();
  await t.bridge.close();
  expect(performance.now() - began).toBeGreaterThan(400);
  expect(performance.now() - began).toBeLessThan(1_500);
  await expect(busy.answered).rejects.toThrow(/socket hang up|ECONNRESET/);
  expect(await client.closed).toMatchObject({ code: 1012 });
  expect(await idle.closed).toMatchObject({ code: 1012 });
  expect(client.frames.map(({ status }) => status)).not.toContain('error');
  expect(run.isInterrupted).toBe(false);
  expect(sim.queue().running).toEqual([run.promptId]);
  expect(sim.counters['POST /interrupt']).toBeUndefined();
  expect(t.errors).toEqual([]);
});

test('jobs that wait are not placed any more, and wait in the next process', async () => {
  await using world = await startWorld();
  const { sim } = world;
  let run: Awaited<ReturnType<typeof sim.nextPrompt>>;
  {
    await using t = await world.start({ env: { BACKEND_SLOTS: '1', SHUTDOWN_TIMEOUT: '4' } });
    await submit(t, 'learned');
    await (await sim.nextPrompt()).finish({ images: 1 });
    await ended(t, 'learned');
    await submit(t, 'runs');
    run = await sim.nextPrompt();
    await submit(t, 'waits');
    const closing = t.bridge.close();
    await run.finish({ images: 1 });
    await closing;
    expect(sim.counters['POST /prompt']).toBe(2);
  }
  await using t = await world.start();
  await (await sim.nextPrompt()).finish({ images: 1 });
  for (const clientId of ['runs', 'waits'])
    expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});
