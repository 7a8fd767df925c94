import { expect, test } from 'vitest';

import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const quick = { TIMEOUT_INTERVAL: '0.1', LIMIT_TIMEOUT_COUNT: '4' };

test('a client that submits nothing is told the time-out, then let go', async () => {
  await using t = await startBridge({ sims: 0, env: quick });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=idle`);
  const error = await client.next('error');
  expect(error).toEqual({
    status: 'error',
    details: 'time out error: exceed 0.4s',
    detail: 'time out error: exceed 0.4s',
  });
  expect(await client.closed).toMatchObject({ code: 1000 });
});

test('the time-out of whole seconds is told as whole seconds', async () => {
  await using t = await startBridge({ sims: 0, env: { TIMEOUT_INTERVAL: '0.5', LIMIT_TIMEOUT_COUNT: '2' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=idle`);
  expect(await client.next('error')).toMatchObject({ detail: 'time out error: exceed 1s' });
});

test('waiting in the queue of the bridge does not count', async () => {
  await using t = await startBridge({ env: quick });
  const lost = t.nextEvent('backend:lost');
  await t.sim.refuse(true);
  await lost;
  using client = await openSocket(`${t.wsUrl}/ws?clientId=patient`);
  await submit(t, 'patient');
  for (let beat = 0; beat < 8; beat += 1) await client.next('listening');
  await t.sim.refuse(false);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
});

test("waiting in a ComfyUI's own queue behind its owner's prompt does not count", async () => {
  await using t = await startBridge({ env: quick });
  const foreign = t.sim.addForeignPrompt();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=patient`);
  await submit(t, 'patient');
  for (let beat = 0; beat < 8; beat += 1) await client.next('listening');
  await foreign.finish();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
});

test('a running job that shows no sign of life is given up, interrupted, and told', async () => {
  await using t = await startBridge({ env: quick });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=silent`);
  await submit(t, 'silent');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  expect(await client.next('error')).toMatchObject({ detail: 'time out error: exceed 0.4s' });
  expect(await client.closed).toMatchObject({ code: 1000 });
  await run.interrupted;
  expect(await run.done).toBe('interrupted');
  expect(t.sim.queue()).toEqual({ running: [], pending: [] });
  const info = await t.get('/execution-info?clientId=silent');
  expect(await info.json()).toEqual({
    status: 'error',
    detail: 'time out error: exceed 0.4s',
    details: 'time out error: exceed 0.4s',
  });
});

test('a silent job times out for a client that only polls, too', async () => {
  await using t = await startBridge({ env: quick });
  await submit(t, 'poller');
  const run = await t.sim.nextPrompt();
  run.start('3');
  expect(await ended(t, 'poller')).toMatchObject({
    state: { status: 'failed', error: { code: 'timed_out' } },
  });
  expect(await run.done).toBe('interrupted');
});

test('a job longer than the limit goes on as long as it shows signs of life', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.1', LIMIT_TIMEOUT_COUNT: '8' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=long`);
  await submit(t, 'long');
  const run = await t.sim.nextPrompt();
  for (let step = 1; step <= 16; step += 1) {
    run.progress(step, 20, '3');
    await client.next('listening');
  }
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  expect(client.frames.map(({ status }) => status)).not.toContain('error');
});
