import { expect, test } from 'vitest';
import { type ComfyServer, isDone } from './_comfy-server.ts';
import { plain, slow } from './_graphs.ts';
import { historyOf, runGraph, submit } from './_submit.ts';

type Items = [number, string, unknown, unknown, string[]][];

async function queueOf(server: ComfyServer): Promise<{ running: Items; pending: Items }> {
  const { queue_running: running, queue_pending: pending } = (await server.get('/queue')).json as Record<
    string,
    Items
  >;
  return { running: running ?? [], pending: pending ?? [] };
}

/** Waiting, cancelling, interrupting. */
export function queue(server: ComfyServer): void {
  test('interrupt by id: the prompt ends as interrupted, with a history entry', async () => {
    using socket = await server.connect();
    const promptId = await submit(server, slow(), { client_id: socket.clientId });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === promptId);
    const { status, text } = await server.post('/interrupt', { prompt_id: promptId });
    expect({ status, text }).toEqual({ status: 200, text: '' });
    await socket.untilDone(promptId);
    const last = socket.of(promptId).at(-2);
    expect(last).toMatchObject({
      type: 'execution_interrupted',
      data: { prompt_id: promptId, node_id: expect.any(String), timestamp: expect.any(Number) },
    });
    expect(Object.keys(last?.data ?? {}).sort()).toEqual([
      'executed',
      'node_id',
      'node_type',
      'prompt_id',
      'timestamp',
    ]);
    const entry = await historyOf(server, promptId);
    expect(entry).toMatchObject({ outputs: {}, status: { status_str: 'error', completed: false } });
    expect(JSON.stringify(entry.status)).toContain('execution_interrupted');
  });

  test('interrupt without an id hits whatever runs', async () => {
    using socket = await server.connect();
    const promptId = await submit(server, slow(), { client_id: socket.clientId });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === promptId);
    await server.post('/api/interrupt', {});
    await socket.untilDone(promptId);
    expect(socket.of(promptId).at(-2)?.type).toBe('execution_interrupted');
  });

  test('interrupt of another id changes nothing', async () => {
    using socket = await server.connect();
    const promptId = await submit(server, slow(2), { client_id: socket.clientId });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === promptId);
    await server.post('/interrupt', { prompt_id: crypto.randomUUID() });
    await socket.untilDone(promptId);
    expect(await historyOf(server, promptId)).toMatchObject({ status: { status_str: 'success' } });
  });

  test('an interrupt while idle does not hit the next prompt', async () => {
    using socket = await server.connect();
    await server.post('/interrupt', {});
    expect((await runGraph(server, socket, plain())).entry).toMatchObject({ status: { completed: true } });
  });

  test('a queue: its shape, deleting what waits leaves no trace, interrupt does not reach it', async () => {
    using socket = await server.connect();
    const client_id = socket.clientId;
    const running = await submit(server, slow(), { client_id });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === running);
    const graph = plain();
    const waiting = await submit(server, graph, { client_id });
    const { running: now, pending } = await queueOf(server);
    expect(now.map((item) => item[1])).toEqual([running]);
    expect(pending).toEqual([[expect.any(Number), waiting, graph, { client_id }, ['3']]]);
    expect((await server.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 2 } });
    await server.post('/interrupt', { prompt_id: waiting });
    expect((await queueOf(server)).pending).toHaveLength(1);
    const { status, text } = await server.post('/queue', { delete: [waiting] });
    expect({ status, text }).toEqual({ status: 200, text: '' });
    expect((await queueOf(server)).pending).toEqual([]);
    await server.post('/interrupt', { prompt_id: running });
    await socket.untilDone(running);
    expect(await historyOf(server, waiting)).toEqual({});
    expect(socket.of(waiting)).toEqual([]);
  });

  test('deleting with a string instead of a list deletes nothing; clear deletes all', async () => {
    using socket = await server.connect();
    const client_id = socket.clientId;
    const running = await submit(server, slow(), { client_id });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === running);
    const waiting = [
      await submit(server, plain(), { client_id }),
      await submit(server, plain(), { client_id }),
    ];
    await server.post('/queue', { delete: waiting[0] });
    expect((await queueOf(server)).pending).toHaveLength(2);
    await server.post('/queue', { clear: true });
    expect((await queueOf(server)).pending).toEqual([]);
    await server.post('/interrupt', {});
    await socket.untilDone(running);
  });

  test('front goes before what waits, and so does a low number', async () => {
    using socket = await server.connect();
    const client_id = socket.clientId;
    const running = await submit(server, slow(), { client_id });
    await socket.until(({ type, data }) => type === 'executing' && data.prompt_id === running);
    const last = await submit(server, plain(), { client_id });
    const front = await submit(server, plain(), { client_id, front: true });
    const first = await submit(server, plain(), { client_id, number: -1e9 });
    await server.post('/interrupt', {});
    await socket.untilDone(last);
    const ends = socket.frames.flatMap((frame) => [first, front, last].filter((id) => isDone(frame, id)));
    expect(ends).toEqual([first, front, last]);
  });

  test('every change of the queue is told to everyone', async () => {
    using watcher = await server.connect();
    using socket = await server.connect();
    await runGraph(server, socket, plain());
    const told = () =>
      watcher.frames.filter(({ type }) => type === 'status').map(({ data }) => JSON.stringify(data.status));
    await watcher.until(() => told().length >= 4, 0);
    expect(told()).toEqual(
      [0, 1, 1, 0].map((queue_remaining) => JSON.stringify({ exec_info: { queue_remaining } })),
    );
    expect(watcher.frames.every(({ type }) => type === 'status')).toBe(true);
  });
}
