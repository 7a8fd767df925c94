import { randomUUID } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:http';

import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import type { ComfyMessage } from '../src/comfy/comfy-messages.ts';
import { openComfySocket } from '../src/comfy/comfy-socket.ts';
import type { ComfySocketOptions } from '../src/comfy/comfy-socket.ts';
import { createFrameBudget } from '../src/comfy/frame-budget.ts';
import { failing } from './_comfy-rig.ts';

interface Rig extends AsyncDisposable {
  url: string;
  /** The server's side of the next socket. */
  next: Promise<{ socket: WebSocket; stream: Socket }>;
}

async function startServer(headers: string[] = []): Promise<Rig> {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true });
  server.on('headers', (own) => void own.push(...headers));
  const next = Promise.withResolvers<{ socket: WebSocket; stream: Socket }>();
  http.on('upgrade', (request, stream, before) => {
    server.handleUpgrade(request, stream, before, (socket) => {
      socket.on('error', () => {});
      next.resolve({ socket, stream: request.socket });
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  http.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    next: next.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      http.close();
      http.closeAllConnections();
    },
  };
}

async function listen(url: string, options: Partial<ComfySocketOptions> = {}) {
  const messages: ComfyMessage[] = [];
  const end = Promise.withResolvers<{ code: number; reason: string }>();
  const socket = await openComfySocket({
    endpoint: { url },
    clientId: randomUUID(),
    deadlineMs: 2000,
    onMessage: (message) => messages.push(message),
    onClose: end.resolve,
    ...options,
  });
  return { messages, ended: end.promise, socket };
}

/** A server's frame, unmasked: what a WebSocket library would not send. */
function frame(first: number, payload: Buffer): Buffer {
  const length = Buffer.alloc(9);
  length[0] = 127;
  length.writeBigUInt64BE(BigInt(payload.length), 1);
  return Buffer.concat([Buffer.from([first]), length, payload]);
}

test('a frame beyond 16 MB ends the stream before it is read', async () => {
  await using rig = await startServer();
  const listener = await listen(rig.url);
  const { stream } = await rig.next;
  const head = frame(0x82, Buffer.alloc(0));
  head.writeBigUInt64BE(BigInt(17 * 1024 * 1024), 2);
  stream.write(head);
  expect((await listener.ended).reason).toMatch(/payload/i);
  expect(listener.messages).toEqual([]);
});

test('a message in pieces is no larger for that', async () => {
  await using rig = await startServer();
  const listener = await listen(rig.url, { maxPayload: 1000 });
  const { stream } = await rig.next;
  stream.write(frame(0x02, Buffer.alloc(600)));
  stream.write(frame(0x00, Buffer.alloc(600)));
  expect((await listener.ended).reason).toMatch(/payload/i);
});

test.each([
  ['a compressed frame', frame(0xc1, Buffer.from('{}'))],
  ['a frame of no known kind', frame(0x83, Buffer.from('{}'))],
  ['no frame at all', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
])('%s ends the stream', async (_what, bytes) => {
  await using rig = await startServer();
  const listener = await listen(rig.url);
  (await rig.next).stream.write(bytes);
  await listener.ended;
  expect(listener.messages).toEqual([]);
});

test('compression that was not asked for is refused', async () => {
  await using rig = await startServer(['Sec-WebSocket-Extensions: permessage-deflate']);
  await expect(listen(rig.url)).rejects.toEqual(failing('unreachable'));
});

test('headers of an opening beyond 16 KB are refused', async () => {
  await using rig = await startServer([`X: ${'y'.repeat(20 * 1024)}`]);
  await expect(listen(rig.url)).rejects.toEqual(expect.objectContaining({ name: 'ComfyError' }));
});

test('a flood is read at a bounded pace, and what comes after it is heard', async () => {
  await using rig = await startServer();
  const began = performance.now();
  const took: number[] = [];
  const last = Promise.withResolvers<void>();
  const listener = await listen(rig.url, {
    onMessage(message) {
      took.push(performance.now() - began);
      if (message.type === 'status' && message.queueRemaining === 7) last.resolve();
    },
  });
  const { socket } = await rig.next;
  // Large enough that no piece of the network's holds more of them than are read at once.
  const progress = JSON.stringify({ type: 'x', data: { padding: 'y'.repeat(200) } });
  for (let sent = 0; sent < 10_000; sent += 1) socket.send(progress);
  socket.send(JSON.stringify({ type: 'status', data: { status: { exec_info: { queue_remaining: 7 } } } }));
  await last.promise;
  expect(took).toHaveLength(10_001);
  expect(Math.max(...took)).toBeGreaterThan(500);
  expect(listener.socket.isOpen).toBe(true);
  listener.socket.terminate();
});

test('heaps of empty frames are passed over, not parsed', async () => {
  await using rig = await startServer();
  const listener = await listen(rig.url, { budget: createFrameBudget({ windowMs: 1500 }) });
  const { stream } = await rig.next;
  stream.write(Buffer.alloc(2 * 30_000, Buffer.from([0x81, 0x00])));
  stream.write(Buffer.from([0x88, 0x00]));
  await listener.ended;
  expect(listener.messages.length).toBeLessThanOrEqual(8_000);
});

test('what a machine says at the end holds no control characters', async () => {
  await using rig = await startServer();
  const listener = await listen(rig.url);
  (await rig.next).socket.close(4000, 'bye\r\n\u001b[31m{"level":"fatal"}\u202e');
  expect(await listener.ended).toEqual({ code: 4000, reason: 'bye[31m{"level":"fatal"}' });
});
