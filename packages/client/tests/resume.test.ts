import { expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../bridge/tests/_start-bridge.ts';
import { startBridgeProcess } from '../../../test/faults/_bridge-process.ts';
import { startFaultProxy } from '../../../test/faults/_fault-proxy.ts';
import { startSim } from '@comfy-bridge/comfy-sim';
import { createBridge as createBrowserBridge } from '../src/index.ts';
import type { JobEvent, JobHandle } from '../src/node.ts';
import { clientOf, isJobEvents, watchedFetch } from './_client.ts';

/** Reads one event after the other. */
function read(handle: JobHandle) {
  const iterator = handle.events()[Symbol.asyncIterator]();
  return {
    async next(type: JobEvent['type']): Promise<JobEvent> {
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) throw new Error(`the events ended while waiting for ${type}`);
        if (value.type === type) return value;
      }
    },
    async rest(): Promise<JobEvent[]> {
      const events: JobEvent[] = [];
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        events.push(next.value);
      return events;
    },
  };
}

test(
  'a bridge that is killed and started again in the middle of a run: the run ends as if nothing had been',
  {
    timeout: 60_000,
  },
  async () => {
    await using sim = await startSim();
    await using bridge = await startBridgeProcess({
      backends: [sim.address],
      env: { WORKFLOW_DIR: workflowsDir },
    });
    const values: number[] = [];
    let progressed = Promise.withResolvers<void>();
    const running = clientOf(bridge.url, { retryMs: 30_000 }).run(
      'text-to-image',
      { prompt: 'a pond' },
      {
        onProgress({ value }) {
          values.push(value);
          progressed.resolve();
        },
      },
    );
    const run = await sim.nextPrompt();
    run.progress(5, 20, '3');
    await progressed.promise;
    await bridge.kill9();
    await bridge.start();
    await expect.poll(() => sim.sockets(), { timeout: 10_000 }).toBeGreaterThan(0);
    progressed = Promise.withResolvers();
    run.progress(15, 20, '3');
    await progressed.promise;
    await run.finish({ images: 1 });
    const { job, outputs } = await running;
    expect(job.status).toBe('succeeded');
    expect(await outputs[0]?.bytes()).toHaveLength(outputs[0]?.size ?? -1);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(sim.counters['POST /prompt']).toBe(1);
  },
);

test('a stream that is cut goes on behind its last event: nothing is missed and nothing told twice', async () => {
  await using t = await startBridge();
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  const { fetch, requests } = watchedFetch();
  const handle = await clientOf(`http://${proxy.address}`, { fetch }).submit('text-to-image', {});
  const events = read(handle);
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await events.next('progress');
  for (const [index, step] of [8, 12, 15].entries()) {
    expect(proxy.cut()).toBe(1);
    run.progress(step, 20, '3');
    const told = events.next('progress');
    await expect.poll(() => requests.filter(isJobEvents).length).toBe(index + 2);
    expect((await told).data).toMatchObject({ step });
  }
  const finished = t.nextEvent('job:finished');
  proxy.cut();
  await run.finish({ images: 2 });
  await finished;
  const rest = await events.rest();
  expect(rest.filter(({ type }) => type === 'output')).toHaveLength(2);
  expect(rest.at(-1)).toMatchObject({ type: 'status', data: { status: 'succeeded' } });
  const streams = requests.filter(isJobEvents);
  expect(streams[0]?.headers.has('last-event-id')).toBe(false);
  expect(streams.slice(1).every(({ headers }) => Number(headers.get('last-event-id')) > 0)).toBe(true);
});

test('a stream on which nothing comes any more is noticed, and opened again', async () => {
  await using t = await startBridge();
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  const { fetch, requests } = watchedFetch();
  const bridge = clientOf(`http://${proxy.address}`, { fetch, silenceMs: 300 });
  const events = read(await bridge.submit('text-to-image', {}));
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  await events.next('progress');
  const before = requests.filter(isJobEvents).length;
  // As on a cut cable: nobody is told.
  await proxy.set({ holds: ['down'] });
  run.progress(9, 20, '3');
  await expect.poll(() => requests.filter(isJobEvents).length, { timeout: 5_000 }).toBe(before);
  const found = events.next('progress');
  await expect.poll(() => proxy.connections()).toBeGreaterThan(1);
  await proxy.set();
  expect((await found).data).toMatchObject({ step: 9 });
  await run.finish({ images: 1 });
  expect((await events.rest()).at(-1)).toMatchObject({ data: { status: 'succeeded' } });
});

test.each([
  ['too many streams', 429, { 'retry-after': '60' }],
  ['none on this server', 501, {}],
  ['a proxy that answers something else', 200, { 'content-type': 'text/html' }],
])(
  'where a stream is refused (%s), the job is polled: progress, outputs and the end are told',
  async (_, status, headers) => {
    await using t = await startBridge();
    const { fetch, requests } = watchedFetch((request, send) =>
      isJobEvents(request) ? new Response('no', { status, headers }) : send(),
    );
    const events = read(await clientOf(t.url, { fetch }).submit('text-to-image', {}));
    const run = await t.sim.nextPrompt();
    run.progress(5, 20, '3');
    expect((await events.next('progress')).data).toMatchObject({ step: 5 });
    await run.finish({ images: 2 });
    const rest = await events.rest();
    expect(rest.filter(({ type }) => type === 'output')).toHaveLength(2);
    expect(rest.at(-1)).toMatchObject({ type: 'status', data: { status: 'succeeded' } });
    expect(requests.filter(isJobEvents)).toHaveLength(1);
  },
);

test('streams that were refused for a moment are asked for again', async () => {
  await using t = await startBridge();
  let refusals = 2;
  const { fetch, requests } = watchedFetch((request, send) => {
    if (!isJobEvents(request) || refusals === 0) return send();
    refusals -= 1;
    return new Response('busy', { status: 429, headers: { 'retry-after': '0' } });
  });
  const result = (await clientOf(t.url, { fetch }).submit('text-to-image', {})).result();
  const run = await t.sim.nextPrompt();
  await expect.poll(() => requests.filter(isJobEvents).length).toBe(3);
  await run.finish({ images: 1 });
  expect((await result).outputs).toHaveLength(1);
});

test('an end that only the stream tells is not believed: the job itself decides', async () => {
  await using t = await startBridge();
  let lies = 1;
  const { fetch } = watchedFetch((request, send) => {
    if (!isJobEvents(request) || lies === 0) return send();
    lies -= 1;
    const body = 'event: status\ndata: {"status":"succeeded"}\n\n';
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  const heard: string[] = [];
  const handle = await clientOf(t.url, { fetch }).submit('text-to-image', {});
  const result = handle.result({ onStatus: ({ status }) => heard.push(status) });
  const run = await t.sim.nextPrompt();
  await run.finish({ images: 1 });
  expect((await result).outputs).toHaveLength(1);
  expect(heard.filter((status) => status === 'succeeded')).toHaveLength(1);
});

test('garbage in a stream, and events of a later server, are passed over', async () => {
  await using t = await startBridge();
  let garbage = 1;
  const { fetch } = watchedFetch((request, send) => {
    if (!isJobEvents(request) || garbage === 0) return send();
    garbage -= 1;
    const body = 'event: progress\ndata: {"value":\n\nevent: weather\ndata: {}\n\ndata: x\n\n';
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  const result = (await clientOf(t.url, { fetch }).submit('text-to-image', {})).result();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect((await result).job.status).toBe('succeeded');
});

test('another process goes on with the id of the job, and gets the results of one that has ended', async () => {
  await using t = await startBridge();
  const { id } = await clientOf(t.url).submit('text-to-image', {});
  const run = await t.sim.nextPrompt();
  const elsewhere = clientOf(t.url).job(id);
  const waiting = elsewhere.result();
  await run.finish({ images: 1 });
  const { outputs } = await waiting;
  const later = await clientOf(t.url).job(id).result();
  expect(later.outputs.map((output) => output.id)).toEqual(outputs.map((output) => output.id));
  expect(later.outputs).toHaveLength(1);
});

test('who stops reading the events closes the stream', async () => {
  await using t = await startBridge();
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  const handle = await clientOf(`http://${proxy.address}`).submit('text-to-image', {});
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  for await (const { type } of handle.events()) if (type === 'progress') break;
  await expect.poll(() => proxy.connections()).toBe(0);
});

test('a listener that throws ends the waiting with its error, and closes the stream', async () => {
  await using t = await startBridge();
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  const handle = await clientOf(`http://${proxy.address}`).submit('text-to-image', {});
  await t.sim.nextPrompt();
  const result = handle.result({
    onStatus() {
      throw new Error('my mistake');
    },
  });
  await expect(result).rejects.toThrow('my mistake');
  await expect.poll(() => proxy.connections()).toBe(0);
});

test('in a browser, which has few connections, jobs beyond three streams are polled, and all of them end', async () => {
  await using t = await startBridge({ sims: 5 });
  let most = 0;
  let open = 0;
  const { fetch } = watchedFetch((request, send) => {
    if (!isJobEvents(request)) return send();
    open += 1;
    most = Math.max(most, open);
    request.signal?.addEventListener('abort', () => (open -= 1));
    return send();
  });
  const bridge = createBrowserBridge({ url: t.url, fetch, pollMs: 50 });
  const running = [1, 2, 3, 4, 5].map((seed) => bridge.run('text-to-image', { seed }));
  for (const sim of t.sims) {
    const run = await sim.nextPrompt();
    run.progress(5, 20, '3');
    await run.finish({ images: 1 });
  }
  const results = await Promise.all(running);
  expect(results.map(({ outputs }) => outputs.length)).toEqual([1, 1, 1, 1, 1]);
  expect(most).toBe(3);
});
