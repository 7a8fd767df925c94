import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ApiPrompt, V2Job } from '@comfy-bridge/protocol';
import { v2JobSchema, v2OutputSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { checkEvents, openEvents } from './_event-client.ts';
import type { EventReader } from './_event-client.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { StartOptions, TestBridge } from './_start-bridge.ts';
import { copyWorkflows } from './_workflow-folder.ts';
import type { WorkflowFolder } from './_workflow-folder.ts';
import { startWorld } from './_world.ts';

const saver = (prefix: string) => ({
  class_type: 'SaveImage',
  inputs: { filename_prefix: prefix, images: ['8', 0] },
});

/** `text-to-image` that saves its picture in nodes 9, 10 and 11. */
function threeSavers(change: (prompt: ApiPrompt) => void = () => {}): Promise<WorkflowFolder> {
  return copyWorkflows({
    'text-to-image': (prompt) => {
      Object.assign(prompt, { '10': saver('second'), '11': saver('third') });
      change(prompt);
    },
  });
}

function start(folder: WorkflowFolder, options: StartOptions = {}): Promise<TestBridge> {
  return startBridge({ ...options, env: { WORKFLOW_DIR: folder.path, ...options.env } });
}

async function jobOf(t: TestBridge, jobId: string): Promise<V2Job> {
  return v2JobSchema.parse(await parseBody(t.get(`/api/v2/jobs/${jobId}`)));
}

const idsOf = ({ outputs }: V2Job) => outputs.map(({ id }) => id);
const resultFiles = async (t: { dataDir: string }) => (await readdir(join(t.dataDir, 'results'))).toSorted();
const listen = (t: TestBridge, jobId: string) => openEvents(`${t.url}/api/v2/jobs/${jobId}/events`);
const outputEvents = ({ events }: EventReader) =>
  events.flatMap(({ event, data }) => (event === 'output' ? [v2OutputSchema.parse(data)] : []));

async function download(url: string): Promise<Buffer> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

test('what a node has saved is told and can be fetched while the next node still runs, and stays what it is', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  using reader = await listen(t, jobId);
  run.save('9', 1);
  run.progress(1, 2, '10');
  const first = v2OutputSchema.parse((await reader.next('output')).data);
  expect(first).toMatchObject({ node_id: '9', name: 'text-to-image_00001_.png', job_id: jobId });
  const bytes = await download(first.url);
  expect(bytes.equals(Buffer.from(t.sim.readFile('output', first.name) ?? []))).toBe(true);
  const running = await jobOf(t, jobId);
  expect(running).toMatchObject({ status: 'running', outputs: [first] });
  expect(await t.bridge.ledger.findResult(first.id)).toMatchObject({ job: { id: jobId } });
  run.save('10', 2);
  await run.finish({ outputs: {} });
  await reader.ended;
  const done = await jobOf(t, jobId);
  expect(done.outputs.map(({ node_id }) => node_id)).toEqual(['9', '10', '10']);
  expect(idsOf(done)[0]).toBe(first.id);
  expect(done.outputs[0]?.url).toBe(first.url);
  expect((await download(first.url)).equals(bytes)).toBe(true);
  expect(
    outputEvents(reader)
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(idsOf(done).toSorted());
  expect(checkEvents(reader.events).at(-1)).toBe('succeeded');
  expect(t.sim.counters['GET /view']).toBe(3);
  expect(await resultFiles(t)).toHaveLength(3);
  expect(await t.bridge.ledger.findResult(first.id)).toMatchObject({ job: { id: jobId } });
  expect(t.errors).toEqual([]);
});

test('results keep the order of the history, whatever came first', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  for (const node of ['11', '10', '9']) {
    const kept = t.nextEvent('job:output');
    run.save(node, 1);
    await kept;
  }
  await run.finish({ outputs: {} });
  await ended(t, 'one');
  expect((await jobOf(t, jobId)).outputs.map(({ node_id }) => node_id)).toEqual(['9', '10', '11']);
  const answer = await t.get('/history?clientId=one');
  expect([...(await answer.formData()).keys()]).toEqual(['result_0', 'result_1', 'result_2']);
  await expect.poll(() => resultFiles(t)).toEqual([]);
});

test('an attempt is lost after its first output: the next one gives its own, and nothing of the lost one is left', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder, { sims: 2 });
  const { jobId } = await submit(t, 'one');
  const run = await t.sims[0]?.nextPrompt();
  using reader = await listen(t, jobId);
  run?.save('9', 1);
  const lost = v2OutputSchema.parse((await reader.next('output')).data);
  t.sims[0]?.crash();
  const again = await t.sims[1]?.nextPrompt();
  expect((await jobOf(t, jobId)).outputs).toEqual([]);
  expect(await t.bridge.ledger.findResult(lost.id)).toBeUndefined();
  expect((await fetch(lost.url, { headers: { connection: 'close' } })).status).toBe(404);
  again?.save('9', 1);
  const second = v2OutputSchema.parse((await reader.next('output')).data);
  expect(second.id).not.toBe(lost.id);
  expect(second.url).not.toBe(lost.url);
  again?.save('10', 1);
  await again?.finish({ outputs: {} });
  await ended(t, 'one');
  const done = await jobOf(t, jobId);
  expect(done.outputs.map(({ node_id }) => node_id)).toEqual(['9', '10']);
  expect(idsOf(done)[0]).toBe(second.id);
  expect(await resultFiles(t)).toHaveLength(2);
  expect(t.errors).toEqual([]);
});

test.each([
  ['fails', 'failed', async (_t: TestBridge, run: { fail(): void }) => run.fail()],
  ['is canceled', 'canceled', async (t: TestBridge) => void (await t.post('/interrupt?clientId=one'))],
])('a job that %s after its first output keeps none of it', async (_what, state, end) => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  const kept = t.nextEvent('job:output');
  run.save('9', 1);
  const { result } = await kept;
  run.start('10');
  await end(t, run);
  expect(await ended(t, 'one')).toMatchObject({ state: { status: state } });
  expect((await jobOf(t, jobId)).outputs).toEqual([]);
  expect(await resultFiles(t)).toEqual([]);
  expect(await t.bridge.ledger.findResult(result.id)).toBeUndefined();
  expect(t.errors).toEqual([]);
});

test('a cancel cuts off a fetch that is under way', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  t.sim.failNext('GET /view', 'hang');
  run.save('9', 1);
  await expect.poll(() => t.sim.counters['GET /view']).toBe(1);
  const began = performance.now();
  await t.post('/interrupt?clientId=one');
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'canceled' } });
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(await resultFiles(t)).toEqual([]);
});

test.each([
  ['breaks off', 'truncate'],
  ['is refused', { body: 'no picture at all', contentType: 'image/png' }],
  ['is not there yet', 404],
] as const)('a file that %s is fetched again at the end, and nobody hears of it', async (_what, fault) => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  t.sim.failNext('GET /view', fault);
  run.save('9', 1);
  await expect.poll(() => t.sim.counters['GET /view']).toBe(1);
  const kept = t.nextEvent('job:output');
  run.save('10', 1);
  expect((await kept).result.nodeId).toBe('10');
  await run.finish({ outputs: {} });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect((await jobOf(t, jobId)).outputs.map(({ node_id }) => node_id)).toEqual(['9', '10']);
  expect(t.sim.counters['GET /view']).toBe(3);
  expect(await resultFiles(t)).toHaveLength(2);
});

test('early or at the end, at most four files are fetched at a time', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  t.sim.failNext('GET /view', { delayMs: 150 }, 20);
  run.save('9', 10);
  await expect.poll(() => t.sim.counters['GET /view']).toBe(4);
  run.save('10', 2);
  await run.finish({ outputs: {} });
  expect(t.sim.counters['GET /view']).toBeLessThanOrEqual(4);
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
  expect(t.sim.counters['GET /view']).toBe(12);
});

test('where nodes are marked, only their files are results, early too; previews wait for the end', async () => {
  await using folder = await threeSavers((prompt) => {
    Object.assign(prompt['10'] ?? {}, { _meta: { title: 'Second', bridge: { v: 1, output: true } } });
  });
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  const kept = t.nextEvent('job:output');
  run.save('9', 1);
  run.save('10', [
    { bytes: t.sim.readFile('output', 'text-to-image_00001_.png') ?? Buffer.alloc(0), type: 'temp' },
  ]);
  run.save('10', 1);
  expect((await kept).result).toMatchObject({ nodeId: '10', fileName: 'second_00001_.png' });
  await run.finish({ outputs: {} });
  await ended(t, 'one');
  expect((await jobOf(t, jobId)).outputs.map(({ node_id }) => node_id)).toEqual(['10']);
  expect(t.sim.counters['GET /view']).toBe(1);
});

test('a file that the history does not name is no result', async () => {
  await using folder = await threeSavers();
  await using t = await start(folder);
  const { jobId } = await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  const kept = t.nextEvent('job:output');
  run.save('9', 1);
  const early = (await kept).result;
  // The node shows something else in the end.
  run.save('9', 1);
  await run.finish({ outputs: {} });
  await ended(t, 'one');
  const done = await jobOf(t, jobId);
  expect(done.outputs).toMatchObject([{ name: 'text-to-image_00002_.png' }]);
  expect(idsOf(done)).not.toContain(early.id);
  expect(await resultFiles(t)).toHaveLength(1);
});

test('the bridge is restarted after the first output: all of them are there in the end, the first under its old id', async () => {
  await using folder = await threeSavers();
  await using world = await startWorld();
  const env = { WORKFLOW_DIR: folder.path };
  let jobId = '';
  let firstId = '';
  let leftover = '';
  let run: Awaited<ReturnType<typeof world.sim.nextPrompt>>;
  {
    await using t = await world.start({ env });
    ({ jobId } = await submit(t, 'one'));
    run = await world.sim.nextPrompt();
    const kept = t.nextEvent('job:output');
    run.save('9', 1);
    const { result } = await kept;
    firstId = result.id;
    leftover = `${jobId}.${result.index + 1}`;
  }
  // As after a kill: a stop leaves nothing that would have to be fetched again.
  expect(await resultFiles(world)).toEqual([]);
  await writeFile(join(world.dataDir, 'results', leftover), 'half of it');
  await using t = await world.start({ env });
  await expect.poll(() => world.sim.sockets()).toBeGreaterThan(0);
  const kept = t.nextEvent('job:output');
  run.save('10', 1);
  expect((await kept).result.nodeId).toBe('10');
  await run.finish({ outputs: {} });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  const done = await jobOf(t, jobId);
  expect(done.outputs.map(({ node_id }) => node_id)).toEqual(['9', '10']);
  expect(idsOf(done)[0]).toBe(firstId);
  for (const { url, size_bytes } of done.outputs) expect(await download(url)).toHaveLength(size_bytes);
  expect(await resultFiles(world)).toHaveLength(2);
  expect(world.sim.counters['POST /prompt']).toBe(1);
});

test('a second run that is first gives all of the results; what the first run had given is gone', async () => {
  const clock = { skew: 0 };
  await using folder = await threeSavers();
  await using t = await start(folder, {
    sims: 2,
    env: { HEDGE_SLOW_JOBS: 'on' },
    overrides: { now: () => Date.now() + clock.skew },
  });
  const [a, b] = t.sims;
  if (a === undefined || b === undefined) throw new Error('this needs two simulated backends');
  for (const clientId of ['before-1', 'before-2']) await submit(t, clientId);
  for (const sim of [a, b]) await (await sim.nextPrompt()).finish({ images: 1 });
  for (const clientId of ['before-1', 'before-2']) await ended(t, clientId);
  const before = await resultFiles(t);
  const { jobId } = await submit(t, 'slow');
  const prompts = [a, b].map(async (sim) => ({ sim, run: await sim.nextPrompt() }));
  for (const prompt of prompts) prompt.catch(() => {});
  const { sim, run: first } = await Promise.any(prompts);
  using reader = await listen(t, jobId);
  first.save('9', 1);
  const early = v2OutputSchema.parse((await reader.next('output')).data);
  first.start('10');
  clock.skew += 10_000;
  const second = (await prompts[sim === a ? 1 : 0])?.run;
  second?.save('9', 1);
  second?.save('10', 1);
  await second?.finish({ outputs: {} });
  expect(await ended(t, 'slow')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
  await reader.ended;
  const done = await jobOf(t, jobId);
  expect(done.outputs.map(({ node_id }) => node_id)).toEqual(['9', '10']);
  expect(idsOf(done)).not.toContain(early.id);
  for (const { url, size_bytes } of done.outputs) expect(await download(url)).toHaveLength(size_bytes);
  // The second run was told to nobody before it was first; then all of it, before the end.
  expect(outputEvents(reader).slice(1)).toEqual(done.outputs);
  expect(reader.events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
  await expect.poll(async () => (await resultFiles(t)).length).toBe(before.length + 2);
  expect(t.errors).toEqual([]);
});
