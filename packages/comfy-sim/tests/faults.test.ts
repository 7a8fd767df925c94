import { expect, test } from 'vitest';
import { startSim, type Fault, type Sim } from '../src/sim.ts';
import { Client } from './_client.ts';

const get = (sim: Sim, path: string): Promise<Response> => fetch(sim.url + path);

test('a fault hits the next request of its route, under either prefix, and no other', async () => {
  await using sim = await startSim();
  sim.failNext('GET /api/queue', 503, 2);
  expect((await get(sim, '/prompt')).status).toBe(200);
  expect((await get(sim, '/queue')).status).toBe(503);
  expect((await get(sim, '/api/queue')).status).toBe(503);
  expect((await get(sim, '/queue')).status).toBe(200);
  expect(sim.counters).toMatchObject({ 'GET /queue': 3, 'GET /prompt': 1 });
});

test.each<[string, Fault]>([
  ['reset', 'reset'],
  ['reset after the effect', 'reset-after'],
  ['truncate', 'truncate'],
])('%s breaks the connection', async (_, fault) => {
  await using sim = await startSim();
  sim.failNext('GET /object_info', fault);
  await expect(get(sim, '/object_info').then((response) => response.text())).rejects.toThrow(
    /fetch failed|terminated/,
  );
  expect((await get(sim, '/object_info')).status).toBe(200);
});

test('a lost answer still has its effect', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  sim.failNext('POST /prompt', 'reset-after');
  await expect(client.submit()).rejects.toThrow('fetch failed');
  await sim.nextPrompt();
  sim.failNext('POST /prompt', 'reset');
  await expect(client.submit()).rejects.toThrow('fetch failed');
  expect(sim.queue().pending).toEqual([]);
});

test('garbage, a given body, a late answer, a huge one', async () => {
  await using sim = await startSim();
  sim.failNext('GET /history/:id', 'garbage');
  await expect((await get(sim, '/history/x')).json()).rejects.toThrow(SyntaxError);
  sim.failNext('GET /queue', { body: '{"queue_running":null}', status: 201 });
  expect(await (await get(sim, '/queue')).text()).toBe('{"queue_running":null}');
  sim.failNext('GET /queue', { delayMs: 30 });
  const before = performance.now();
  expect((await get(sim, '/queue')).status).toBe(200);
  expect(performance.now() - before).toBeGreaterThan(25);
  sim.failNext('GET /view', { hugeBytes: 3_000_000 });
  expect((await (await get(sim, '/view?filename=x')).arrayBuffer()).byteLength).toBe(3_000_000);
  sim.failNext('GET /view', { hugeBytes: 1_000_000, chunked: true });
  const chunked = await get(sim, '/view?filename=x');
  expect(chunked.headers.get('content-length')).toBeNull();
  expect((await chunked.arrayBuffer()).byteLength).toBe(1_000_000);
});

test('a hanging route never answers, and does not keep the simulator from closing', async () => {
  const sim = await startSim();
  sim.failNext('GET /queue', 'hang');
  const hanging = expect(get(sim, '/queue')).rejects.toThrow('fetch failed');
  await get(sim, '/prompt');
  await sim.close();
  await hanging;
});

test('a WebSocket can be refused, and all can be cut while prompts go on', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  expect(sim.sockets()).toBe(1);
  const promptId = await client.submit();
  const run = await sim.nextPrompt();
  sim.dropSockets();
  expect(await client.closed).toBe(1006);
  await run.finish({ images: 1 });
  expect(sim.history()).toEqual([promptId]);
  expect(sim.sockets()).toBe(0);
});

test('refused connections, then the same state on the same port', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  const promptId = await client.submit();
  await (await sim.nextPrompt()).finish({ images: 1 });
  await sim.refuse(true);
  await expect(get(sim, '/queue')).rejects.toThrow('fetch failed');
  await client.closed;
  await sim.refuse(false);
  expect(await client.history(promptId)).toBeDefined();
});

test('a hanging server accepts and says nothing; afterwards it answers all', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  await client.submit();
  const run = await sim.nextPrompt();
  sim.hang(true);
  const waiting = get(sim, '/queue');
  await expect(fetch(`${sim.url}/prompt`, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
  const told = client.messages.length;
  run.progress(1, 4);
  expect(client.messages.length).toBe(told);
  sim.hang(false);
  expect((await waiting).status).toBe(200);
  await client.until(() => client.types().includes('progress'));
});

test('a restart loses queue, history and temp files, and keeps the port and the rest', async () => {
  await using sim = await startSim({ inputFiles: { 'sub/mine.png': Buffer.from('x') } });
  using client = await Client.connect(sim);
  const first = await client.submit();
  await (
    await sim.nextPrompt()
  ).finish({ images: [{ bytes: Buffer.from('t'), filename: 't.png', type: 'temp' }] });
  const second = await client.submit();
  const run = await sim.nextPrompt();
  await client.submit();
  const { port } = sim;
  await sim.restart();
  expect(await run.done).toBe('lost');
  run.progress(1, 2);
  await client.closed;
  expect([sim.port, sim.queue(), sim.history()]).toEqual([port, { running: [], pending: [] }, []]);
  expect(sim.files('temp')).toEqual([]);
  expect(sim.files('input')).toEqual(['example.png', 'sub/mine.png']);
  using again = await Client.connect(sim);
  expect(await again.history(first)).toBeUndefined();
  const third = await again.submit();
  expect((await sim.nextPrompt()).promptId).toBe(third);
  expect(third).not.toBe(second);
});

test('a crash closes the port until the restart', async () => {
  await using sim = await startSim();
  sim.crash();
  await expect(get(sim, '/queue')).rejects.toThrow('fetch failed');
  await sim.restart();
  expect((await get(sim, '/queue')).status).toBe(200);
});

test('odd frames and floods', async () => {
  await using sim = await startSim();
  using client = await Client.connect(sim);
  await client.submit();
  (await sim.nextPrompt()).start('3');
  sim.sendRaw('{not json', client.id);
  sim.sendRaw(new Uint8Array([0, 0, 0, 99, 1]));
  await sim.floodProgress(5000);
  await client.until(() => client.messages.filter(({ type }) => type === 'progress').length === 5000);
  expect(client.types()).toContain('not-json');
  expect(client.binary).toEqual([Buffer.from([0, 0, 0, 99, 1])]);
});

test('a body over the limit is refused with 413', async () => {
  await using sim = await startSim({ maxUploadBytes: 1000 });
  const response = await fetch(`${sim.url}/prompt`, { method: 'POST', body: 'x'.repeat(1500) });
  expect(response.status).toBe(413);
  const large = await fetch(`${sim.url}/upload/image`, { method: 'POST', body: Buffer.alloc(20_000_000) });
  expect(large.status).toBe(413);
});

test('requests are logged with their JSON', async () => {
  await using sim = await startSim();
  await fetch(`${sim.url}/api/queue?x=1`, { method: 'POST', body: '{"clear":true}' });
  expect(sim.requests).toEqual([
    { method: 'POST', path: '/api/queue', query: 'x=1', at: expect.any(Number), body: { clear: true } },
  ]);
});
