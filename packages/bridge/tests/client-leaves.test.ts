import { expect, test } from 'vitest';

import { ended, proveBackends, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const atOnce = { GRACE_SECONDS: '0' };

test('a queued client leaves: its job is dropped and never started', async () => {
  await using t = await startBridge({ env: { ...atOnce, BACKEND_SLOTS: '1' } });
  await submit(t, 'busy');
  const busy = await t.sim.nextPrompt();
  using leaver = await openSocket(`${t.wsUrl}/ws?clientId=leaver`);
  await submit(t, 'leaver', { '6/text': 'never' });
  await submit(t, 'stayer', { '6/text': 'stays' });
  leaver.socket.terminate();
  expect(await ended(t, 'leaver')).toMatchObject({ attempt: 0, state: { status: 'canceled' } });
  await busy.finish({ images: 1 });
  const next = await t.sim.nextPrompt();
  expect(next.prompt['6']?.inputs['text']).toBe('stays');
  await next.finish({ images: 1 });
  await ended(t, 'stayer');
  expect(t.sim.counters['POST /prompt']).toBe(2);
});

test.each(['with a close frame', 'by a cut connection'])(
  'a running client leaves %s: its prompt alone is interrupted, its neighbour goes on',
  async (how) => {
    await using t = await startBridge({ env: atOnce });
    await proveBackends(t);
    using leaver = await openSocket(`${t.wsUrl}/ws?clientId=leaver`);
    await submit(t, 'leaver');
    const run = await t.sim.nextPrompt();
    run.progress(2, 20, '3');
    await leaver.next('progress');
    await submit(t, 'neighbour', { '6/text': 'neighbour' });
    if (how === 'with a close frame') leaver.close();
    else leaver.socket.terminate();
    await run.interrupted;
    expect(await run.done).toBe('interrupted');
    expect(await ended(t, 'leaver')).toMatchObject({ state: { status: 'canceled' } });
    const neighbour = await t.sim.nextPrompt();
    expect(neighbour.prompt['6']?.inputs['text']).toBe('neighbour');
    await neighbour.finish({ images: 1 });
    expect(await ended(t, 'neighbour')).toMatchObject({ state: { status: 'succeeded' } });
    expect(t.sim.queue()).toEqual({ running: [], pending: [] });
    expect(t.errors).toEqual([]);
  },
);

test('a close frame is echoed at once, whatever the job does', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  await t.sim.nextPrompt();
  client.socket.close(1000, 'bye');
  expect(await client.closed).toMatchObject({ code: 1000 });
});

test('a client whose prompt waits inside a ComfyUI leaves: it is taken off, what runs there goes on', async () => {
  await using t = await startBridge({ env: atOnce });
  await proveBackends(t);
  await submit(t, 'runner');
  const runner = await t.sim.nextPrompt();
  runner.progress(1, 20, '3');
  using leaver = await openSocket(`${t.wsUrl}/ws?clientId=leaver`);
  await submit(t, 'leaver');
  await expect.poll(() => t.sim.queue().pending.length).toBe(1);
  leaver.close();
  expect(await ended(t, 'leaver')).toMatchObject({ state: { status: 'canceled' } });
  expect(t.sim.queue().pending).toEqual([]);
  expect(runner.isInterrupted).toBe(false);
  await runner.finish({ images: 1 });
  expect(await ended(t, 'runner')).toMatchObject({ state: { status: 'succeeded' } });
});

test('a client that comes back within the grace period finds its job going on', async () => {
  await using t = await startBridge();
  using first = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  await submit(t, 'back');
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  const told = await first.next('progress');
  first.socket.terminate();
  await first.closed;
  using second = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  expect(await second.next()).toMatchObject({ status: 'connected' });
  const resumed = await second.next('progress');
  expect(Number.parseFloat(resumed.detail)).toBeGreaterThanOrEqual(Number.parseFloat(told.detail));
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await second.next('closed')).toMatchObject({ status: 'closed' });
});

test('a client that comes back after its job ended is told so', async () => {
  await using t = await startBridge();
  using first = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  await submit(t, 'back');
  const run = await t.sim.nextPrompt();
  first.socket.terminate();
  await first.closed;
  await run.finish({ images: 1 });
  await ended(t, 'back');
  using second = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  expect(await second.next()).toMatchObject({ status: 'connected' });
  expect(await second.next('closed')).toMatchObject({ detail: 'Execution is done' });
  expect(await second.closed).toMatchObject({ code: 1000 });
});

test('a client that stays away longer than the grace period loses its job', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: '0.1' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=gone`);
  await submit(t, 'gone');
  const run = await t.sim.nextPrompt();
  client.close();
  await run.interrupted;
  expect(await ended(t, 'gone')).toMatchObject({ state: { status: 'canceled' } });
});

test('as long as one of its sockets is open, the client is there', async () => {
  await using t = await startBridge({ env: atOnce });
  using one = await openSocket(`${t.wsUrl}/ws?clientId=two-tabs`);
  using two = await openSocket(`${t.wsUrl}/ws?clientId=two-tabs`);
  await submit(t, 'two-tabs');
  const run = await t.sim.nextPrompt();
  one.close();
  await one.closed;
  await run.finish({ images: 1 });
  expect(await two.next('closed')).toMatchObject({ status: 'closed' });
});

test('a job submitted after the socket of an earlier one was gone is not given up with it', async () => {
  await using t = await startBridge({ env: { GRACE_SECONDS: '0.3' } });
  using socket = await openSocket(`${t.wsUrl}/ws?clientId=poller`);
  await submit(t, 'poller');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await socket.closed;
  await submit(t, 'poller');
  const run = await t.sim.nextPrompt();
  // Another client that leaves later: when its grace period is over, the first one's is over, too.
  using clock = await openSocket(`${t.wsUrl}/ws?clientId=clock`);
  await submit(t, 'clock');
  clock.close();
  await ended(t, 'clock');
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await ended(t, 'poller')).toMatchObject({ state: { status: 'succeeded' } });
});

test('a client whose connection was dead when its job ended is told when it comes back', async () => {
  await using t = await startBridge();
  using dead = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  await submit(t, 'back');
  const run = await t.sim.nextPrompt();
  dead.socket.pause();
  await run.finish({ images: 1 });
  await ended(t, 'back');
  dead.socket.terminate();
  using back = await openSocket(`${t.wsUrl}/ws?clientId=back`);
  expect(await back.next('closed')).toMatchObject({ detail: 'Execution is done' });
  expect(await back.closed).toMatchObject({ code: 1000 });
});

test('a client that was told the end of its job and closed is not told again', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.05' } });
  using first = await openSocket(`${t.wsUrl}/ws?clientId=again`);
  await submit(t, 'again');
  (await t.sim.nextPrompt()).fail({ message: 'no luck' });
  await first.closed;
  using second = await openSocket(`${t.wsUrl}/ws?clientId=again`);
  for (let beat = 0; beat < 3; beat += 1) await second.next('listening');
  expect(second.frames.map(({ status }) => status)).not.toContain('error');
});

test('a client that submits its next job before its old socket is gone keeps that job', async () => {
  await using t = await startBridge({ env: atOnce });
  using old = await openSocket(`${t.wsUrl}/ws?clientId=poller`);
  await submit(t, 'poller');
  const first = await t.sim.nextPrompt();
  // Its goodbye does not come for a while, as on a slow line.
  old.socket.pause();
  await first.finish({ images: 1 });
  await ended(t, 'poller');
  await submit(t, 'poller');
  const run = await t.sim.nextPrompt();
  old.socket.terminate();
  using clock = await openSocket(`${t.wsUrl}/ws?clientId=clock`);
  await submit(t, 'clock');
  clock.close();
  await ended(t, 'clock');
  expect(run.isInterrupted).toBe(false);
  await run.finish({ images: 1 });
  expect(await ended(t, 'poller')).toMatchObject({ state: { status: 'succeeded' } });
});
