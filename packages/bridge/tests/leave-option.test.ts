import { expect, test } from 'vitest';

import { ended, proveBackends, submit, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('leave=cancel: given up at once, whatever the bridge would do', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: 'keep' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=cancel`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await client.next('progress');
  client.socket.terminate();
  await run.interrupted;
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
});

test('leave=keep: the job goes on, and the end is told to who comes back', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: '0' } });
  {
    using client = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=keep`);
    await submit(t, 'one');
    client.close();
    await client.closed;
  }
  const run = await t.sim.nextPrompt();
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
  using back = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  expect(await back.next('closed')).toMatchObject({ detail: 'Execution is done' });
});

test('leave=<seconds>: given up after that long, and found again before', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: '0' } });
  using first = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=30`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await first.next('progress');
  first.socket.terminate();
  await first.closed;
  using second = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=0.05`);
  await second.next('progress');
  expect(run.isInterrupted).toBe(false);
  second.close();
  await run.interrupted;
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
});

test('the last socket to go decides', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: '0' } });
  using one = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=cancel`);
  using two = await openSocket(`${t.wsUrl}/ws?clientId=one&leave=keep`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  one.close();
  await one.closed;
  two.close();
  await two.closed;
  // Another client that leaves afterwards: once its job was given up, the first one's would have been as well.
  using clock = await openSocket(`${t.wsUrl}/ws?clientId=clock`);
  await submit(t, 'clock');
  clock.close();
  await ended(t, 'clock');
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test('GRACE_SECONDS=keep: jobs outlive their clients', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: 'keep' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  client.socket.terminate();
  await client.closed;
  await run.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test("what is given up takes nobody else's prompt with it", async () => {
  await using t = await startBridge({ sims: 1 });
  await proveBackends(t);
  using leaver = await openSocket(`${t.wsUrl}/ws?clientId=leaver&leave=cancel`);
  await submit(t, 'leaver');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await submit(t, 'neighbour', { '6/text': 'neighbour' });
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  leaver.close();
  expect(await ended(t, 'leaver')).toMatchObject({ state: { status: 'canceled' } });
  const neighbour = await t.sim.nextPrompt();
  expect(neighbour.prompt['6']?.inputs['text']).toBe('neighbour');
  expect(neighbour.isInterrupted).toBe(false);
  await neighbour.finish({ images: 1 });
  expect(await ended(t, 'neighbour')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
});

test.each(['never', '-1', '86401', 'keep,cancel'])(
  'leave=%s is answered 400 with the reason, and opens nothing',
  async (leave) => {
    await using t = await startBridge({ sims: 0 });
    const answer = await upgrade(`${t.wsUrl}/ws?clientId=one&leave=${leave}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({ detail: expect.stringMatching(/leave is cancel, keep/) });
  },
);
