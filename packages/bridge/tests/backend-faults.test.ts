import { expect, test } from 'vitest';

import { detailOf, ended, expectNoSecrets, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

async function expectDeliveredOnce(t: TestBridge, clientId: string): Promise<void> {
  expect(await ended(t, clientId)).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  const answer = await t.get(`/history?clientId=${clientId}`);
  expect(answer.status).toBe(200);
  expect([...(await answer.formData()).keys()]).toEqual(['result_0']);
  expect((await t.get(`/history?clientId=${clientId}`)).status).toBe(204);
}

test("a ComfyUI's WebSocket drops in the middle: it is opened again and the job goes on", async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  await client.next('progress');
  t.sim.dropSockets();
  await expect.poll(() => [t.sim.counters['GET /ws'], t.sim.sockets()], { timeout: 5_000 }).toEqual([2, 1]);
  const step = t.nextEvent('job:progress', ({ progress }) => progress.step === 15);
  run.progress(15, 20, '3');
  await step;
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  await expectDeliveredOnce(t, 'one');
});

test("a ComfyUI's WebSocket drops and the job ends meanwhile: its history tells", async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  t.sim.failNext('GET /ws', 'reset', 1_000);
  t.sim.dropSockets();
  await run.finish({ images: 1 });
  await expectDeliveredOnce(t, 'one');
});

test('the end of a prompt is told before its history is written: the results come all the same', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1, delayHistoryMs: 300 });
  await expectDeliveredOnce(t, 'one');
});

test('a ComfyUI whose HTTP hangs does not slow the requests of others', async () => {
  await using t = await startBridge({ sims: 2, env: { PROBE_TIMEOUT: '0.5', CONNECT_TIMEOUT: '0.5' } });
  const lost = t.nextEvent('backend:lost');
  t.sim.hang(true);
  const times: number[] = [];
  for (let request = 0; request < 40; request += 1) {
    const began = performance.now();
    expect((await t.get('/generation-count')).status).toBe(200);
    times.push(performance.now() - began);
  }
  expect(times.toSorted((a, b) => a - b).at(-3)).toBeLessThan(50);
  await lost;
  await submit(t, 'one');
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  await expectDeliveredOnce(t, 'one');
  t.sim.hang(false);
});

test('a job given to a ComfyUI that stopped answering is done by another one; the late one changes nothing', async () => {
  await using t = await startBridge({ sims: 2, env: { PROBE_INTERVAL: '60', CONNECT_TIMEOUT: '0.5' } });
  const [stuck, other] = t.sims;
  stuck?.hang(true);
  await submit(t, 'one');
  await (await other?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
  stuck?.hang(false);
  expect((await t.get('/history?clientId=one')).status).toBe(200);
  expect(stuck?.queue()).toEqual({ running: [], pending: [] });
});

test('a node that throws: a clean reason, no traceback, no path, no address', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({
    message:
      'cannot open /srv/ComfyUI/models/secret.yaml at http://10.1.2.3:8188/x\nTraceback (most recent call last):\n  File "/srv/ComfyUI/nodes.py", line 3, in f\nKeyError',
    traceback: ['  File "/srv/ComfyUI/execution.py", line 1'],
  });
  const { detail } = await client.next('error');
  const told = [detail, await detailOf(await t.get('/history?clientId=one'))];
  told.push((await parseBody<{ detail: string }>(t.get('/execution-info?clientId=one'))).detail);
  for (const text of told) {
    expect(text).toContain('KSampler');
    expect(text).toContain('cannot open');
    expectNoSecrets(text);
    expect(text).not.toMatch(/srv|10\.1\.2\.3|\n/);
  }
  expect(new Set(told).size).toBe(1);
});

const outOfMemory = { type: 'torch.OutOfMemoryError', message: 'Allocation on device' };
const gigabyte = 1024 ** 3;

test('out of memory is tried on a ComfyUI that has more', async () => {
  await using t = await startBridge({ sims: [4, 4, 24].map((size) => ({ vramTotal: size * gigabyte })) });
  await submit(t, 'one');
  (await t.sims[0]?.nextPrompt())?.fail(outOfMemory);
  await (await t.sims[2]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 2, state: { status: 'succeeded' } });
});

test('out of memory where nobody has more: once again with its memory freed, then it is told', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail(outOfMemory);
  const again = await t.sim.nextPrompt();
  expect(t.sim.counters['POST /free']).toBe(1);
  again.fail(outOfMemory);
  expect(await ended(t, 'one')).toMatchObject({
    attempt: 2,
    state: { status: 'failed', error: { code: 'out_of_memory' } },
  });
});

test('what waits behind a job that nobody has the memory for is told at once, and so is the next one', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  for (const clientId of ['one', 'two', 'three']) await submit(t, clientId);
  void (async () => {
    for (;;) (await t.sim.nextPrompt()).fail(outOfMemory);
    // Ends when the simulated backend is closed.
  })().catch(() => {});
  for (const clientId of ['one', 'two', 'three']) {
    const { state } = await ended(t, clientId);
    expect(JSON.stringify(state)).toMatch(/memory/);
  }
  const next = await t.post('/generate-based-workflow?clientId=four', { workflow: 'text-to-image' });
  expect(next.status).toBe(503);
  expect(await next.text()).toMatch(/too little memory/);
});

test('a prompt that a ComfyUI refuses: the reason names our input key, and the machine is not blamed', async () => {
  await using t = await startBridge();
  const body = {
    error: {
      type: 'prompt_outputs_failed_validation',
      message: 'Prompt outputs failed validation',
      details: '',
      extra_info: {},
    },
    node_errors: {
      '5': {
        class_type: 'EmptyLatentImage',
        dependent_outputs: ['9'],
        errors: [
          {
            type: 'value_smaller_than_min',
            message: 'Value 64 smaller than min of 128',
            details: 'width',
            extra_info: { input_name: 'width' },
          },
        ],
      },
    },
  };
  t.sim.failNext('POST /prompt', { status: 400, body: JSON.stringify(body) });
  await submit(t, 'one', { '5/width': 64 });
  expect(await ended(t, 'one')).toMatchObject({
    attempt: 1,
    state: { status: 'failed', error: { code: 'invalid_workflow' } },
  });
  expect(await detailOf(await t.get('/history?clientId=one'))).toMatch(
    /5\/width: Value 64 smaller than min of 128/,
  );
  expect(t.bridge.fleet.ready()).toHaveLength(1);
  await submit(t, 'two');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await expectDeliveredOnce(t, 'two');
});

test('a model that is missing on one ComfyUI: the job goes to the one that has it', async () => {
  await using t = await startBridge({ sims: [{ models: { checkpoints: [] } }, {}] });
  await submit(t, 'one');
  await (await t.sims[1]?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
});

test('a prompt that hangs at a step: inactivity ends it there, and the next job runs', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.1', LIMIT_TIMEOUT_COUNT: '4' } });
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(3, 20, '3');
  run.hang();
  await run.interrupted;
  run.fail();
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'failed', error: { code: 'timed_out' } } });
  await submit(t, 'two');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await expectDeliveredOnce(t, 'two');
});
