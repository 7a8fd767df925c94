import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { clientOf, isSubmit, readPicture, watchedFetch } from './_client.ts';

const aborted = { name: 'AbortError' };

test('an abort before anything was sent: nothing is sent', async () => {
  await using t = await startBridge();
  const { fetch, requests } = watchedFetch();
  const running = clientOf(t.url, { fetch }).run('text-to-image', {}, { signal: AbortSignal.abort() });
  await expect(running).rejects.toMatchObject(aborted);
  expect(requests).toEqual([]);
});

test('an abort while files go up rejects at once, ends the uploads and submits nothing', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const { fetch, requests } = watchedFetch(
    () =>
      new Promise((_, reject) => {
        if (requests.length === 2) controller.abort();
        controller.signal.addEventListener('abort', () => reject(controller.signal.reason));
      }),
  );
  const running = clientOf(t.url, { fetch }).run(
    'blend',
    {
      first_picture: new Blob([await readPicture()]),
      second_picture: new Blob([await readPicture('sample_b.png')]),
    },
    { signal: controller.signal },
  );
  await expect(running).rejects.toMatchObject(aborted);
  expect(requests.map(({ path }) => path)).toEqual(['/api/v2/assets', '/api/v2/assets']);
});

test('an abort while the submit is under way takes the job back when its answer comes', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const answered = Promise.withResolvers<void>();
  const { fetch } = watchedFetch(async (request, send) => {
    const answer = await send();
    if (isSubmit(request)) {
      controller.abort();
      await answered.promise;
    }
    return answer;
  });
  const running = clientOf(t.url, { fetch }).run('text-to-image', {}, { signal: controller.signal });
  await expect(running).rejects.toMatchObject(aborted);
  const canceled = t.nextEvent('job:finished');
  answered.resolve();
  expect((await canceled).job.state.status).toBe('canceled');
});

test('with leaveRunning an abort while the submit is under way takes nothing back', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const { fetch, requests } = watchedFetch(async (request, send) => {
    const answer = await send();
    if (isSubmit(request)) controller.abort();
    return answer;
  });
  const bridge = clientOf(t.url, { fetch });
  const options = { signal: controller.signal, leaveRunning: true };
  await expect(bridge.run('text-to-image', {}, options)).rejects.toMatchObject(aborted);
  const finished = t.nextEvent('job:finished');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect((await finished).job.state.status).toBe('succeeded');
  expect(requests.filter(({ path }) => path.endsWith('/cancel'))).toEqual([]);
});

test('an abort while it runs rejects at once, and cancels the job', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const running = clientOf(t.url).run('text-to-image', {}, { signal: controller.signal });
  running.catch(() => {});
  const run = await t.sim.nextPrompt();
  const canceled = t.nextEvent('job:finished');
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  await run.interrupted;
  expect((await canceled).job.state.status).toBe('canceled');
});

test('with leaveRunning the job goes on, and its results can be fetched later', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const { fetch, requests } = watchedFetch();
  const bridge = clientOf(t.url, { fetch });
  const running = bridge.run('text-to-image', {}, { signal: controller.signal, leaveRunning: true });
  running.catch(() => {});
  const run = await t.sim.nextPrompt();
  controller.abort();
  await expect(running).rejects.toMatchObject(aborted);
  const finished = t.nextEvent('job:finished');
  await run.finish({ images: 1 });
  const { job } = await finished;
  expect(job.state.status).toBe('succeeded');
  expect((await bridge.job(job.id).result()).outputs).toHaveLength(1);
  expect(requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
});

test('a time limit cancels the job and says what it was', async () => {
  await using t = await startBridge();
  const canceled = t.nextEvent('job:finished');
  const running = clientOf(t.url).run('text-to-image', {}, { timeoutMs: 500 });
  await expect(running).rejects.toMatchObject({ name: 'BridgeError', code: 'timed_out' });
  expect((await canceled).job.state.status).toBe('canceled');
});

test('who only waits for a result and gives up does not cancel the job', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const handle = await clientOf(t.url).submit('text-to-image', {});
  const waiting = handle.result({ signal: controller.signal });
  waiting.catch(() => {});
  const run = await t.sim.nextPrompt();
  controller.abort();
  await expect(waiting).rejects.toMatchObject(aborted);
  await expect(handle.result({ timeoutMs: 50 })).rejects.toMatchObject({ code: 'timed_out' });
  await run.finish({ images: 1 });
  expect((await handle.result()).outputs).toHaveLength(1);
});

test('an abort while the bridge is away ends the waiting for it', async () => {
  const controller = new AbortController();
  const { fetch, requests } = watchedFetch(() => {
    if (requests.length === 2) setTimeout(() => controller.abort());
    throw new TypeError('fetch failed');
  });
  const running = clientOf('http://bridge.invalid', { fetch }).workflows({ signal: controller.signal });
  await expect(running).rejects.toMatchObject(aborted);
});

test('an abort of a batch cancels all of it', async () => {
  await using t = await startBridge();
  const controller = new AbortController();
  const running = clientOf(t.url).runAll('text-to-image', { seed: [1, 2, 3] }, { signal: controller.signal });
  running.catch(() => {});
  await t.sim.nextPrompt();
  const ends: string[] = [];
  const all = t.nextEvent('job:finished', ({ job }) => ends.push(job.state.status) === 3);
  controller.abort();
  await expect(running).rejects.toMatchObject(aborted);
  await all;
  expect(ends).toEqual(['canceled', 'canceled', 'canceled']);
});
