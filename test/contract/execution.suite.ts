import { expect, test } from 'vitest';
import { asRecord, type ComfyServer, type Frame } from './_comfy-server.ts';
import { fresh, plain } from './_graphs.ts';
import { historyOf, imagesOf, runGraph, submit, viewPath } from './_submit.ts';

/** A run told in short: `executing 1`, `progress_state 1:running`, and so on. */
function story(frames: readonly Frame[]): string[] {
  return frames.map(({ type, data }) => {
    if (type === 'executing' || type === 'executed') return `${type} ${String(data.node)}`;
    if (type !== 'progress_state') return type;
    const nodes = Object.entries(asRecord(data.nodes)).map(
      ([id, node]) => `${id}:${String(asRecord(node).state)}`,
    );
    return `${type} ${nodes.sort().join(' ')}`;
  });
}

/** Running prompts: events, history, caching, results. */
export function execution(server: ComfyServer): void {
  test('success: the events of a run, in order', async () => {
    using socket = await server.connect();
    const { promptId } = await runGraph(server, socket, plain());
    expect(story(socket.of(promptId))).toEqual([
      'execution_start',
      'execution_cached',
      'progress_state 1:running',
      'executing 1',
      'progress_state 1:finished',
      'progress_state 1:finished 2:running',
      'executing 2',
      'progress_state 1:finished 2:finished',
      'progress_state 1:finished 2:finished 3:running',
      'executing 3',
      'executed 3',
      'progress_state 1:finished 2:finished 3:finished',
      'execution_success',
      'executing null',
    ]);
  });

  test('success: the queue is told as empty between execution_success and the last executing', async () => {
    using socket = await server.connect();
    const { promptId } = await runGraph(server, socket, plain());
    const success = socket.frames.findIndex(
      ({ type, data }) => type === 'execution_success' && data.prompt_id === promptId,
    );
    const after = socket.frames.slice(success + 1, success + 3);
    expect(after).toMatchObject([
      { type: 'status', data: { status: { exec_info: { queue_remaining: 0 } } } },
      { type: 'executing', data: { node: null, prompt_id: promptId } },
    ]);
  });

  test('success: the shape of each event', async () => {
    using socket = await server.connect();
    const { promptId, outputs } = await runGraph(server, socket, plain());
    const find = (type: string) => socket.of(promptId).find((frame) => frame.type === type)?.data;
    expect(find('execution_start')).toEqual({ prompt_id: promptId, timestamp: expect.any(Number) });
    expect(find('execution_cached')).toEqual({
      prompt_id: promptId,
      nodes: [],
      timestamp: expect.any(Number),
    });
    expect(find('executing')).toEqual({ node: '1', display_node: '1', prompt_id: promptId });
    expect(find('executed')).toEqual({
      node: '3',
      display_node: '3',
      output: outputs['3'],
      prompt_id: promptId,
    });
    expect(asRecord(find('progress_state')?.nodes)['1']).toEqual({
      value: 0,
      max: 1,
      state: 'running',
      node_id: '1',
      prompt_id: promptId,
      display_node_id: '1',
      parent_node_id: null,
      real_node_id: '1',
    });
  });

  test('history: the whole entry', async () => {
    using socket = await server.connect();
    const graph = plain();
    const { promptId, entry } = await runGraph(server, socket, graph, { extra_data: { mine: 1 } });
    expect(entry).toEqual({
      prompt: [expect.any(Number), promptId, graph, { mine: 1, client_id: socket.clientId }, ['3']],
      outputs: {
        '3': {
          images: [
            { filename: expect.stringMatching(/^contract_\d{5}_\.png$/), subfolder: '', type: 'output' },
          ],
        },
      },
      status: {
        status_str: 'success',
        completed: true,
        messages: [
          ['execution_start', { prompt_id: promptId, timestamp: expect.any(Number) }],
          ['execution_cached', { nodes: [], prompt_id: promptId, timestamp: expect.any(Number) }],
          ['execution_success', { prompt_id: promptId, timestamp: expect.any(Number) }],
        ],
      },
      meta: { '3': { node_id: '3', display_node: '3', parent_node: null, real_node_id: '3' } },
    });
  });

  test('history: a page of it, and deleting one entry', async () => {
    using socket = await server.connect();
    const first = (await runGraph(server, socket, plain())).promptId;
    const second = (await runGraph(server, socket, plain())).promptId;
    expect(Object.keys((await server.get('/history?max_items=2')).json ?? {})).toEqual([first, second]);
    expect(Object.keys((await server.get('/history?max_items=1')).json ?? {})).toEqual([second]);
    const { status, text } = await server.post('/history', { delete: [second] });
    expect({ status, text }).toEqual({ status: 200, text: '' });
    expect(await historyOf(server, second)).toEqual({});
    expect(Object.keys((await server.get('/history?max_items=1')).json ?? {})).toEqual([first]);
  });

  test('all cached: executed without executing, and the same file again', async () => {
    using socket = await server.connect();
    const colour = fresh();
    const first = await runGraph(server, socket, plain(colour));
    const again = await runGraph(server, socket, plain(colour));
    expect(story(socket.of(again.promptId))).toEqual([
      'execution_start',
      'execution_cached',
      'executed 3',
      'progress_state 3:finished',
      'execution_success',
      'executing null',
    ]);
    expect(socket.of(again.promptId)[1]?.data.nodes).toEqual(['1', '2', '3']);
    expect(again.outputs).toEqual(first.outputs);
  });

  test('partly cached: only what depends on the change runs', async () => {
    using socket = await server.connect();
    const graph = plain();
    await runGraph(server, socket, graph);
    const changed = {
      ...structuredClone(graph),
      '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'other' } },
    };
    const { promptId } = await runGraph(server, socket, changed);
    expect(socket.of(promptId)[1]?.data.nodes).toEqual(['1', '2']);
    expect(story(socket.of(promptId)).filter((line) => line.startsWith('executing'))).toEqual([
      'executing 3',
      'executing null',
    ]);
  });

  test('the cache goes by what nodes do, not by their ids', async () => {
    using socket = await server.connect();
    const colour = fresh();
    await runGraph(server, socket, plain(colour));
    const { '1': empty, ...rest } = plain(colour);
    const renamed = {
      ...rest,
      '10': empty ?? { class_type: '', inputs: {} },
      '2': { class_type: 'ImageInvert', inputs: { image: ['10', 0] } },
    };
    const { promptId } = await runGraph(server, socket, renamed);
    expect(asRecord(socket.of(promptId)[1]?.data).nodes).toEqual(expect.arrayContaining(['2', '3', '10']));
  });

  test('freeing memory forgets what was cached', async () => {
    using socket = await server.connect();
    const colour = fresh();
    await runGraph(server, socket, plain(colour));
    await server.post('/free', { free_memory: true });
    // Freeing happens between prompts: this one may still see the cache, the next cannot.
    await runGraph(server, socket, plain());
    const { promptId } = await runGraph(server, socket, plain(colour));
    expect(socket.of(promptId)[1]?.data.nodes).toEqual([]);
  });

  test('a batch is saved as several files with rising numbers', async () => {
    using socket = await server.connect();
    const graph = plain();
    Object.assign(graph['1']?.inputs ?? {}, { batch_size: 3 });
    const images = imagesOf((await runGraph(server, socket, graph)).outputs['3']);
    const numbers = images.map(({ filename }) => Number(/_(\d{5})_/.exec(filename)?.[1]));
    expect(numbers).toEqual([numbers[0], (numbers[0] ?? 0) + 1, (numbers[0] ?? 0) + 2]);
  });

  test('a prefix may name a subfolder and the size', async () => {
    using socket = await server.connect();
    const graph = plain();
    Object.assign(graph['3']?.inputs ?? {}, { filename_prefix: 'sub/deep/c_%width%x%height%' });
    const [image] = imagesOf((await runGraph(server, socket, graph)).outputs['3']);
    expect(image).toEqual({
      filename: expect.stringMatching(/^c_32x32_\d{5}_\.png$/),
      subfolder: 'sub/deep',
      type: 'output',
    });
  });

  test('PreviewImage shows temporary files', async () => {
    using socket = await server.connect();
    const graph = { ...plain(), '3': { class_type: 'PreviewImage', inputs: { images: ['2', 0] } } };
    const [image] = imagesOf((await runGraph(server, socket, graph)).outputs['3']);
    expect(image).toEqual({
      filename: expect.stringMatching(/^ComfyUI_temp_[a-z]{5}_\d{5}_\.png$/),
      subfolder: '',
      type: 'temp',
    });
  });

  test('a saved picture has the right pixels and carries its prompt', async () => {
    using socket = await server.connect();
    const graph = plain(0x102030);
    Object.assign(graph['1']?.inputs ?? {}, { width: 20, height: 10 });
    const extra_data = { extra_pnginfo: { workflow: { made: fresh() } } };
    await server.post('/free', { free_memory: true });
    await runGraph(server, socket, plain());
    const [image] = imagesOf((await runGraph(server, socket, graph, { extra_data })).outputs['3']);
    const { body } = await server.bytes(viewPath(image ?? { filename: '', subfolder: '', type: '' }));
    const { default: sharp } = await import('sharp');
    const { data, info } = await sharp(body).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([20, 10, 3]);
    expect([...data.subarray(0, 3)]).toEqual([0xef, 0xdf, 0xcf]);
    expect(body.includes('tEXtprompt\0{')).toBe(true);
    expect(body.includes('tEXtworkflow\0{')).toBe(true);
  });

  test('several outputs, and text', async () => {
    using socket = await server.connect();
    const graph = {
      ...plain(),
      '4': { class_type: 'PrimitiveString', inputs: { value: `héllo ${fresh()}` } },
      '5': { class_type: 'PreviewAny', inputs: { source: ['4', 0] } },
    };
    const { outputs } = await runGraph(server, socket, graph);
    expect(outputs['5']).toEqual({ text: [graph['4'].inputs.value] });
    expect(imagesOf(outputs['3'])).toHaveLength(1);
  });

  test('an own prompt_id is taken, and may be used again later', async () => {
    using socket = await server.connect();
    const prompt_id = crypto.randomUUID();
    const first = await runGraph(server, socket, plain(), { prompt_id });
    expect(first.promptId).toBe(prompt_id);
    socket.frames.length = 0;
    using other = await server.connect();
    const second = await runGraph(server, other, plain(), { prompt_id });
    expect(second.promptId).toBe(prompt_id);
    expect(second.outputs).not.toEqual(first.outputs);
  });

  test('without a client id nobody is told of the run, except of its progress', async () => {
    using watcher = await server.connect();
    const silent = await submit(server, plain());
    await runGraph(server, watcher, plain());
    expect(new Set(watcher.of(silent).map((frame) => frame.type))).toEqual(new Set(['progress_state']));
    expect(await historyOf(server, silent)).toMatchObject({ status: { completed: true } });
  });

  test('a node that fails: execution_error, history, and no success', async () => {
    using socket = await server.connect();
    const name = `contract-${crypto.randomUUID()}.png`;
    await server.upload('/upload/image', { name, bytes: Buffer.from('no picture at all') });
    const { promptId, entry } = await runGraph(server, socket, {
      '1': { class_type: 'LoadImage', inputs: { image: name } },
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    const told = socket.of(promptId).map((frame) => frame.type);
    expect(told.slice(-2)).toEqual(['execution_error', 'executing']);
    expect(socket.of(promptId).at(-2)?.data).toEqual({
      prompt_id: promptId,
      node_id: '1',
      node_type: 'LoadImage',
      executed: [],
      exception_message: expect.stringContaining('cannot identify image file'),
      exception_type: 'PIL.UnidentifiedImageError',
      traceback: expect.any(Array),
      current_inputs: { image: [name] },
      current_outputs: expect.arrayContaining(['1', '2']),
      timestamp: expect.any(Number),
    });
    expect(entry).toMatchObject({ outputs: {}, meta: {}, status: { status_str: 'error', completed: false } });
  });

  test('an animation is one file, marked as animated', async () => {
    using socket = await server.connect();
    const graph = plain();
    Object.assign(graph['1']?.inputs ?? {}, { batch_size: 2 });
    graph['3'] = {
      class_type: 'SaveAnimatedWEBP',
      inputs: {
        images: ['2', 0],
        filename_prefix: 'contract',
        fps: 6,
        lossless: true,
        quality: 80,
        method: 'default',
      },
    };
    const { outputs } = await runGraph(server, socket, graph);
    expect(imagesOf(outputs['3'])).toMatchObject([
      { filename: expect.stringMatching(/\.webp$/), type: 'output' },
    ]);
    expect(outputs['3']?.animated).toEqual([true]);
  });
}
