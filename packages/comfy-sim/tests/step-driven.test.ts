import { expect, test } from 'vitest';
import { startSim } from '../src/sim.ts';
import { Client, graph } from './_client.ts';

test('a prompt waits for the test, which tells its story step by step', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  expect(run.promptId).toBe(promptId);
  expect(run.clientId).toBe(client.id);
  expect(sim.queue()).toEqual({ running: [promptId], pending: [] });
  run.cached(['4']);
  run.start('3');
  run.progress(1, 4);
  run.preview();
  run.text('3', 'halfway');
  await run.finish({ images: 2 });
  await client.untilOver(promptId);
  expect(client.types().filter((type) => type !== 'status')).toEqual([
    'execution_start',
    'execution_cached',
    'progress_state',
    'executing',
    'progress_state',
    'progress',
    'progress_state',
    'progress_state',
    'executing',
    'executed',
    'progress_state',
    'execution_success',
    'executing',
  ]);
  expect(client.binary.map((bytes) => bytes.readUInt32BE(0))).toEqual([1, 3]);
  expect(await run.done).toBe('success');
  expect(await client.history(promptId)).toMatchObject({
    outputs: {
      '9': {
        images: [
          { filename: 'sim_00001_.png', subfolder: '', type: 'output' },
          { filename: 'sim_00002_.png' },
        ],
      },
    },
  });
  expect(sim.readFile('output', 'sim_00001_.png')).toBeDefined();
  expect(() => run.start('3')).toThrow(/is over \(success\)/);
});

test('finish without images really makes the pictures', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  run.progress(2, 4);
  await run.finish();
  await client.untilOver(promptId);
  expect(sim.files('output')).toEqual(['sim_00001_.png']);
  expect(client.messages.filter(({ type }) => type === 'progress')).toHaveLength(1);
});

test('given pictures keep their bytes, names and folders', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  await client.submit();
  const bytes = Buffer.from('any bytes');
  await (
    await sim.nextPrompt()
  ).finish({ images: [{ bytes, filename: 'mine.mp4', type: 'temp', subfolder: 'sub' }] });
  const response = await fetch(`${sim.url}/view?filename=mine.mp4&type=temp&subfolder=sub`);
  expect(response.headers.get('content-type')).toBe('video/mp4');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
});

test('outputs can be given raw, or be missing altogether', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const raw = await client.submit();
  await (await sim.nextPrompt()).finish({ outputs: { '9': { text: ['x'], odd: [1] } } });
  const none = await client.submit();
  await (await sim.nextPrompt()).finish({ emptyOutputs: true });
  expect(await client.history(raw)).toMatchObject({ outputs: { '9': { text: ['x'], odd: [1] } } });
  expect(await client.history(none)).toMatchObject({ outputs: {}, status: { status_str: 'success' } });
});

test('the history entry can come late', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const finished = (await sim.nextPrompt()).finish({ images: 1, delayHistoryMs: 100 });
  await client.until(() => client.types().includes('execution_success'));
  expect(await client.history(promptId)).toBeUndefined();
  await finished;
  expect(await client.history(promptId)).toBeDefined();
});

test('fail tells message, type and node', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  run.fail({ message: 'CUDA out of memory', type: 'torch.OutOfMemoryError', traceback: ['tb'] });
  await client.untilOver(promptId);
  expect(client.messages.find(({ type }) => type === 'execution_error')?.data).toMatchObject({
    node_id: '3',
    node_type: 'KSampler',
    exception_message: 'CUDA out of memory\n',
    exception_type: 'torch.OutOfMemoryError',
    traceback: ['tb'],
  });
  expect(await run.done).toBe('error');
});

test('an interrupt ends a waiting step at once, and later steps do nothing', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  run.progress(1, 4);
  await client.post('/interrupt', { prompt_id: 'another' });
  expect(run.isInterrupted).toBe(false);
  await client.post('/interrupt', { prompt_id: promptId });
  await run.interrupted;
  await client.untilOver(promptId);
  run.progress(2, 4);
  await run.finish();
  expect(await run.done).toBe('interrupted');
  expect(await client.history(promptId)).toMatchObject({ status: { status_str: 'error', completed: false } });
});

test('a hung prompt is deaf, until the test lets it go on', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  run.progress(1, 4);
  run.hang();
  await client.post('/interrupt', { prompt_id: promptId });
  await run.interrupted;
  expect(sim.queue().running).toEqual([promptId]);
  await run.finish();
  expect(await run.done).toBe('interrupted');
});

test('prompts are handed out in order, one at a time', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const ids = [await client.submit(graph(1)), await client.submit(graph(2)), await client.submit(graph(3))];
  expect(sim.queue()).toEqual({ running: [ids[0]], pending: ids.slice(1) });
  for (const id of ids) {
    const run = await sim.nextPrompt();
    expect(run.promptId).toBe(id);
    await run.finish({ images: 1 });
  }
  expect(sim.history()).toEqual(ids);
});

test('the rest of a stepped prompt can run by itself', async () => {
  await using sim = await startSim({ stepMs: 1 });
  using client = await Client.connect(sim);
  const promptId = await client.submit(graph(5), { extra_data: { preview_method: 'auto' } });
  await (await sim.nextPrompt()).runRest();
  await client.untilOver(promptId);
  expect(client.messages.filter(({ type }) => type === 'progress')).toHaveLength(4);
  expect(client.binary).toHaveLength(4);
});

test("the owner's own prompt occupies the machine and is not handed out", async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const foreign = sim.addForeignPrompt();
  const mine = await client.submit();
  expect(sim.queue()).toEqual({ running: [foreign.promptId], pending: [mine] });
  await foreign.finish();
  expect((await sim.nextPrompt()).promptId).toBe(mine);
});

test('waiting for a prompt ends when the simulator closes', async () => {
  const sim = await startSim({ name: 'lonely' });
  const waiting = expect(sim.nextPrompt()).rejects.toThrow('lonely was closed');
  await sim.close();
  await waiting;
});
