import { expect, test } from 'vitest';

import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('a stop lets the sockets go at once with 1012, so that their clients come back; it is safe to ask twice', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '1' } });
  using idle = await openSocket(`${t.wsUrl}/ws?clientId=idle`);
  using busy = await openSocket(`${t.wsUrl}/ws?clientId=busy`);
  await submit(t, 'busy');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  const began = performance.now();
  await Promise.all([t.bridge.close(), t.bridge.close()]);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(await idle.closed).toMatchObject({ code: 1012 });
  expect(await busy.closed).toMatchObject({ code: 1012 });
  expect(busy.frames.map(({ status }) => status)).not.toContain('error');
});

test('a stop leaves its prompts to the next start, and no connection to a ComfyUI', async () => {
  await using t = await startBridge();
  await submit(t, 'runs');
  const run = await t.sim.nextPrompt();
  await t.bridge.close();
  await expect.poll(() => t.sim.sockets()).toBe(0);
  expect(run.isInterrupted).toBe(false);
  expect(t.errors).toEqual([]);
});

test('a job that is about to end is awaited', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '8' } });
  for (let job = 0; job < 3; job += 1) {
    await submit(t, `c${job}`);
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    await ended(t, `c${job}`);
  }
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(19, 20, '3');
  await client.next('progress');
  const closing = t.bridge.close();
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  await closing;
});

test('a client that never reads its closing frame does not hold up the stop', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '1' } });
  using deaf = await openSocket(`${t.wsUrl}/ws?clientId=deaf`);
  deaf.socket.pause();
  const began = performance.now();
  await t.bridge.close();
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('a request that never ends is cut when the time for the stop is over', async () => {
  await using t = await startBridge({ env: { SHUTDOWN_TIMEOUT: '0.3' } });
  const never = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{"work')) });
  const init: RequestInit = { body: never };
  Reflect.set(init, 'duplex', 'half');
  const answer = t.post('/generate-based-workflow?clientId=one', undefined, init).catch(() => 'cut');
  expect((await t.get('/healthz')).status).toBe(200);
  const began = performance.now();
  await t.bridge.close();
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(await answer).toBe('cut');
});
