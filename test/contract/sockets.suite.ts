import { expect, test } from 'vitest';
import type { ComfyServer } from './_comfy-server.ts';
import { plain, slow } from './_graphs.ts';
import { runGraph, submit } from './_submit.ts';

/** Who is told what over the WebSocket. */
export function sockets(server: ComfyServer): void {
  test('the first message names the session and the length of the queue', async () => {
    using socket = await server.connect();
    expect(socket.frames[0]).toMatchObject({
      type: 'status',
      data: { status: { exec_info: { queue_remaining: 0 } }, sid: socket.clientId },
    });
  });

  test('without a client id the server makes one', async () => {
    using socket = await server.connect({ clientId: '' });
    expect(socket.frames[0]?.data.sid).toMatch(/^[\da-f]{32}$/);
  });

  test('feature flags are answered when they come first', async () => {
    using socket = await server.connect({ previewMetadata: true });
    const answer = socket.frames.find(({ type }) => type === 'feature_flags');
    expect(answer?.data).toMatchObject({
      supports_preview_metadata: true,
      max_upload_size: expect.any(Number),
    });
  });

  test('two clients: each hears only of its own prompts', async () => {
    using one = await server.connect();
    using two = await server.connect();
    const first = await submit(server, plain(), { client_id: one.clientId });
    const second = await submit(server, plain(), { client_id: two.clientId });
    await Promise.all([one.untilDone(first), two.untilDone(second)]);
    expect(one.of(second)).toEqual([]);
    expect(two.of(first)).toEqual([]);
  });

  test('the same client id twice: only the newest connection hears', async () => {
    using older = await server.connect();
    using newer = await server.connect({ clientId: older.clientId });
    const before = older.frames.length;
    const { promptId } = await runGraph(server, newer, plain());
    expect(newer.of(promptId).length).toBeGreaterThan(5);
    expect(older.frames.length).toBe(before);
  });

  test('when the older of two closes, the newer one goes deaf', async () => {
    const older = await server.connect();
    using newer = await server.connect({ clientId: older.clientId });
    using witness = await server.connect();
    older.close();
    // The server notices the end in its own time: go on until three broadcasts in a row miss the newer one.
    for (let missed = 0; missed < 3;) {
      const heard = newer.frames.length;
      await server.post('/queue', { clear: true });
      await witness.until(({ type }) => type === 'status');
      missed = newer.frames.length === heard ? missed + 1 : 0;
    }
    const { promptId } = await runGraph(server, witness, plain(), { client_id: witness.clientId });
    expect(newer.of(promptId)).toEqual([]);
  });

  test('coming back while a prompt runs: its node is told, without the id of the prompt', async () => {
    const first = await server.connect();
    const promptId = await submit(server, slow(), { client_id: first.clientId });
    await first.until(({ type, data }) => type === 'executing' && data.prompt_id === promptId);
    first.close();
    // Some other connection's round trip, so that the server has seen the end of the first.
    (await server.connect()).close();
    using again = await server.connect({ clientId: first.clientId });
    const told = await again.until(
      ({ type, data }) => type === 'executing' && data.prompt_id === undefined,
      0,
    );
    expect(told.data).toEqual({ node: expect.any(String) });
    await server.post('/interrupt', { prompt_id: promptId });
    await again.untilDone(promptId);
  });
}
