import { expect, test } from 'vitest';
import { asRecord, binaryEvent, type ComfyServer } from './_comfy-server.ts';
import { fresh, plain, traceSteps } from './_graphs.ts';
import { runGraph, submit } from './_submit.ts';

/** Progress, previews, text and failures, by nodes made for it. */
export function traceNodes(server: ComfyServer): void {
  test('progress: value and most of each step, the state before it', async () => {
    using socket = await server.connect();
    const { promptId } = await runGraph(server, socket, traceSteps({ steps: 3, seconds: 0.02 }));
    const told = socket.of(promptId).filter(({ type }) => type === 'progress');
    expect(told.map(({ data }) => data)).toEqual(
      [1, 2, 3].map((value) => ({ value, max: 3, prompt_id: promptId, node: '2' })),
    );
    const first = socket.frames.findIndex(({ type }) => type === 'progress');
    expect(asRecord(socket.frames[first - 1]?.data.nodes)['2']).toMatchObject({
      value: 1,
      max: 3,
      state: 'running',
    });
  });

  test('previews for a client without flags: type 1, after progress', async () => {
    using socket = await server.connect();
    const { promptId } = await runGraph(
      server,
      socket,
      traceSteps({ steps: 2, seconds: 0.02, preview: true }),
    );
    const binary = socket.frames.filter(({ type }) => type === 'binary');
    expect(binary).toHaveLength(2);
    for (const frame of binary) {
      const { event, rest } = binaryEvent(frame);
      expect([event, rest.readUInt32BE(0), rest.readUInt16BE(4)]).toEqual([1, 1, 0xffd8]);
      expect(socket.frames[socket.frames.indexOf(frame) - 1]?.type).toBe('progress');
    }
    expect(socket.of(promptId).at(-2)?.type).toBe('execution_success');
  });

  test('previews for a client with flags: type 4 with ids, before progress', async () => {
    using socket = await server.connect({ previewMetadata: true });
    const { promptId } = await runGraph(
      server,
      socket,
      traceSteps({ steps: 2, seconds: 0.02, preview: true }),
    );
    const binary = socket.frames.filter(({ type }) => type === 'binary');
    expect(binary).toHaveLength(2);
    for (const frame of binary) {
      const { event, rest } = binaryEvent(frame);
      const length = rest.readUInt32BE(0);
      expect(event).toBe(4);
      expect(JSON.parse(rest.subarray(4, 4 + length).toString())).toEqual({
        node_id: '2',
        prompt_id: promptId,
        display_node_id: '2',
        parent_node_id: null,
        real_node_id: '2',
        image_type: 'image/jpeg',
      });
      expect(rest.readUInt16BE(4 + length)).toBe(0xffd8);
      expect(socket.frames[socket.frames.indexOf(frame) + 1]?.type).toBe('progress');
    }
  });

  test('a text frame reaches every client', async () => {
    using socket = await server.connect();
    using watcher = await server.connect();
    const text = `hi ${fresh()}`;
    const { outputs } = await runGraph(server, socket, {
      '7': { class_type: 'TraceText', inputs: { text } },
    });
    expect(outputs['7']).toEqual({ text: [text] });
    const { event, rest } = binaryEvent(await watcher.until(({ type }) => type === 'binary', 0));
    expect([event, rest.readUInt32BE(0), rest.subarray(4).toString()]).toEqual([3, 1, `7working on ${text}`]);
  });

  test('progress of a prompt without a client id goes to everyone', async () => {
    using watcher = await server.connect();
    const promptId = await submit(server, traceSteps({ steps: 2, seconds: 0.01 }));
    const { data } = await watcher.until(({ type }) => type === 'progress', 0);
    expect(data.prompt_id).toBe(promptId);
    await runGraph(server, watcher, plain());
  });

  test('an interrupt takes effect at the next step', async () => {
    using socket = await server.connect();
    const promptId = await submit(server, traceSteps({ steps: 500, seconds: 0.05 }), {
      client_id: socket.clientId,
    });
    await socket.until(({ type, data }) => type === 'progress' && data.prompt_id === promptId);
    await server.post('/interrupt', { prompt_id: promptId });
    await socket.untilDone(promptId);
    expect(socket.of(promptId).at(-2)).toMatchObject({
      type: 'execution_interrupted',
      data: { node_id: '2', node_type: 'TraceStep' },
    });
  });

  test('a failing node: message, type, what ran before it', async () => {
    using socket = await server.connect();
    const graph = plain();
    graph['2'] = { class_type: 'TraceFail', inputs: { image: ['1', 0], message: 'boom' } };
    const { promptId, entry } = await runGraph(server, socket, graph);
    const error = socket.of(promptId).find(({ type }) => type === 'execution_error');
    expect(error?.data).toMatchObject({
      node_id: '2',
      node_type: 'TraceFail',
      executed: ['1'],
      exception_message: 'boom\n',
      exception_type: 'RuntimeError',
      current_inputs: { message: ['boom'] },
    });
    expect(socket.of(promptId).findLast(({ type }) => type === 'progress_state')?.data.nodes).toMatchObject({
      '2': { state: 'running' },
    });
    expect(entry).toMatchObject({ status: { status_str: 'error', completed: false } });
  });
}
