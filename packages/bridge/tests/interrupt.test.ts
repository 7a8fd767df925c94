import { expect, test } from 'vitest';

import { detailOf, ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('a running job is interrupted on its ComfyUI, and it alone', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  await submit(t, 'one');
  const run = await first?.nextPrompt();
  run?.progress(3, 20, '3');
  await submit(t, 'two');
  const other = await second?.nextPrompt();
  await submit(t, 'three');
  const answer = await t.post('/interrupt?clientId=one');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ detail: 'interrupted that clientId will be ignored. / one' });
  await run?.interrupted;
  expect(await run?.done).toBe('interrupted');
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
  await (await first?.nextPrompt())?.finish({ images: 1 });
  await other?.finish({ images: 1 });
  expect(await ended(t, 'two')).toMatchObject({ state: { status: 'succeeded' } });
  expect(await ended(t, 'three')).toMatchObject({ state: { status: 'succeeded' } });
  expect(second?.counters['POST /interrupt']).toBeUndefined();
});

test('a queued job is dropped and never starts', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  await submit(t, 'two');
  expect((await t.post('/interrupt?clientId=two')).status).toBe(200);
  expect(await ended(t, 'two')).toMatchObject({ attempt: 0, state: { status: 'canceled' } });
  await run.finish({ images: 1 });
  await ended(t, 'one');
  expect(t.sim.counters['POST /prompt']).toBe(1);
});

test('a job whose prompt waits inside the ComfyUI is taken off; what runs there goes on', async () => {
  await using t = await startBridge();
  await proveBackends(t);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await submit(t, 'two');
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  await t.post('/interrupt?clientId=two');
  expect(await ended(t, 'two')).toMatchObject({ state: { status: 'canceled' } });
  expect(t.sim.queue()).toEqual({ running: [run.promptId], pending: [] });
  expect(run.isInterrupted).toBe(false);
});

test("the prompts of the machine's owner are never hit, not even on a version that interrupts whatever runs", async () => {
  await using t = await startBridge({ sim: { features: { targetedInterrupt: false } } });
  const running = t.sim.addForeignPrompt();
  await submit(t, 'one');
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  const waiting = t.sim.addForeignPrompt();
  await t.post('/interrupt?clientId=one');
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
  expect(t.sim.queue()).toEqual({ running: [running.promptId], pending: [waiting.promptId] });
  await running.finish();
  await waiting.finish();
});

test('the client is told by its WebSocket, once, and the socket is closed', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  await t.sim.nextPrompt();
  await t.post('/interrupt?clientId=one');
  expect(await client.next('error')).toMatchObject({ detail: 'the job was interrupted' });
  expect(await client.closed).toMatchObject({ code: 1000 });
  expect(client.frames.filter(({ status }) => status === 'error')).toHaveLength(1);
});

test('the owner of the machine interrupts our prompt: the client learns that', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await fetch(`${t.sim.url}/interrupt`, { method: 'POST', headers: { connection: 'close' } });
  expect(await ended(t, 'one')).toMatchObject({
    state: { status: 'failed', error: { code: 'interrupted' } },
  });
  expect(await detailOf(await t.get('/history?clientId=one'))).toMatch(/owner of the machine/);
});

test('interrupting what has ended changes nothing; an unknown clientId is 400', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  expect((await t.post('/interrupt?clientId=one')).status).toBe(200);
  expect((await t.get('/history?clientId=one')).status).toBe(200);
  for (const query of ['', '?clientId=nobody']) {
    const answer = await t.post(`/interrupt${query}`);
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toContain('clientId');
  }
});

test('once interrupted, the clientId can be used for the next job', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await t.sim.nextPrompt();
  await t.post('/interrupt?clientId=one');
  await ended(t, 'one');
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});
