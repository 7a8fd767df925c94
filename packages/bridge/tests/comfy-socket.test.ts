import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Sim, type SimOptions, startSim } from '@comfy-bridge/comfy-sim';
import { describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import type { ComfyError } from '../src/comfy/comfy-error.ts';
import type { ComfyMessage } from '../src/comfy/comfy-messages.ts';
import { type ComfySocket, type ComfySocketOptions, openComfySocket } from '../src/comfy/comfy-socket.ts';

type End = { code: number; reason: string };

interface Listener {
  messages: ComfyMessage[];
  ends: End[];
  socket: ComfySocket;
  types(): string[];
}

async function listen(url: string, options: Partial<ComfySocketOptions> = {}): Promise<Listener> {
  const messages: ComfyMessage[] = [];
  const ends: End[] = [];
  const socket = await openComfySocket({
    endpoint: { url },
    clientId: randomUUID(),
    deadlineMs: 2000,
    onMessage: (message) => messages.push(message),
    onClose: (end) => ends.push(end),
    ...options,
  });
  return { messages, ends, socket, types: () => messages.map(({ type }) => type) };
}

async function startRig(options: SimOptions = {}): Promise<Sim & AsyncDisposable> {
  return startSim({ mode: 'free', runMs: 0, ...options });
}

interface RawServer extends AsyncDisposable {
  url: string;
  requests: IncomingMessage[];
  sockets: WebSocket[];
  received: string[];
}

/** A WebSocket server for what no ComfyUI does. */
async function startRawServer(
  options: { autoPong?: boolean; answer?: number | 'never' } = {},
): Promise<RawServer> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  const server = new WebSocketServer({ noServer: true, autoPong: options.autoPong ?? true });
  const raw: Pick<RawServer, 'requests' | 'sockets' | 'received'> = {
    requests: [],
    sockets: [],
    received: [],
  };
  http.on('upgrade', (request, stream, head) => {
    raw.requests.push(request);
    stream.on('error', () => {});
    if (options.answer === 'never') return;
    if (options.answer !== undefined) {
      stream.end(`HTTP/1.1 ${options.answer} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    server.handleUpgrade(request, stream, head, (socket) => {
      raw.sockets.push(socket);
      socket.on('error', () => {}).on('message', (data: Buffer) => raw.received.push(data.toString()));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  http.listen(0, '127.0.0.1', resolve);
  await promise;
  return {
    ...raw,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      for (const socket of raw.sockets) socket.terminate();
      for (const { socket } of raw.requests) socket.destroy();
      http.close(() => closed.resolve());
      http.closeAllConnections();
      await closed.promise;
    },
  };
}

const failing = (failure: string, status?: number): Partial<ComfyError> =>
  expect.objectContaining({ name: 'ComfyError', failure, ...(status === undefined ? {} : { status }) });

describe('opening', () => {
  it('greets with the flags first, with token, session id and base path, and without an origin', async () => {
    await using server = await startRawServer();
    const listener = await listen('x:', {
      endpoint: { url: `${server.url}/comfy/`, token: 'secret' },
      clientId: 'a b',
    });
    await expect.poll(() => server.received).toHaveLength(1);
    expect(JSON.parse(server.received[0] ?? '')).toEqual({
      type: 'feature_flags',
      data: { supports_preview_metadata: true },
    });
    expect(server.requests[0]?.url).toBe('/comfy/ws?clientId=a%20b');
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(server.requests[0]?.headers).not.toHaveProperty('origin');
    expect(server.requests[0]?.headers).not.toHaveProperty('sec-websocket-extensions');
    listener.socket.terminate();
  });

  it.each([
    ['a status', { answer: 403 }, 'status', 403],
    ['silence', { answer: 'never' }, 'timeout', undefined],
  ] as const)('is rejected by %s, without a close', async (_name, answer, failure, status) => {
    await using server = await startRawServer(answer);
    const ends: End[] = [];
    const opening = listen(server.url, { deadlineMs: 100, onClose: (end) => ends.push(end) });
    await expect(opening).rejects.toEqual(failing(failure, status));
    expect(ends).toEqual([]);
  });

  it('is rejected where nobody listens', async () => {
    await using sim = await startRig();
    await sim.refuse(true);
    await expect(listen(sim.url)).rejects.toEqual(failing('unreachable'));
  });
});

describe('an open stream', () => {
  it('tells the whole life of a prompt, and previews with their prompt', async () => {
    await using sim = await startRig({ previews: true, stepMs: 1 });
    await using client = createComfyClient({ url: sim.url });
    using listener = Object.assign(await listen(sim.url), {
      [Symbol.dispose]: () => listener.socket.terminate(),
    });
    const outcome = await client.submitPrompt({
      prompt: {
        '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
        '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
      },
      promptId: randomUUID(),
      clientId: listener.socket.clientId,
    });
    await expect.poll(() => listener.messages.at(-1)).toMatchObject({ type: 'executing', node: null });
    expect(outcome).toMatchObject({ ok: true });
    const types = listener.types();
    expect(types[0]).toBe('status');
    expect(types).toContain('feature-flags');
    const order = ['execution-start', 'execution-cached', 'executed', 'execution-success', 'executing'];
    expect(order.map((type) => types.lastIndexOf(type))).toEqual(
      order.map((type) => types.lastIndexOf(type)).toSorted((a, b) => a - b),
    );
    expect(types).not.toContain('malformed');
    // The history is there by now.
    if (outcome.ok) expect(await client.history(outcome.promptId)).toMatchObject({ outcome: 'success' });
  });

  it('survives frames that are nonsense, and listeners that throw', async () => {
    await using sim = await startRig();
    const seen: string[] = [];
    const warnings: string[] = [];
    const { socket } = await listen(sim.url, {
      onMessage: (message) => {
        seen.push(message.type);
        throw new Error('listener');
      },
      log: { warn: (_data: unknown, message?: string) => void warnings.push(message ?? '') },
    });
    await expect.poll(() => seen).toContain('feature-flags');
    sim.sendRaw('{nonsense');
    sim.sendRaw(new Uint8Array([0, 0, 0, 9]));
    sim.sendRaw('{"type":"custom.event","data":{}}');
    await expect.poll(() => seen.at(-1)).toBe('other');
    expect(seen.filter((type) => type === 'malformed')).toHaveLength(2);
    expect(socket.isOpen).toBe(true);
    expect(new Set(warnings)).toEqual(new Set(['comfy socket: a listener failed']));
    socket.terminate();
  });

  it('survives text that is not UTF-8', async () => {
    await using server = await startRawServer();
    const listener = await listen(server.url);
    server.sockets[0]?.send(
      Buffer.concat([Buffer.from('{"type":"x'), Buffer.from([0xff]), Buffer.from('"}')]),
      { binary: false },
    );
    await expect.poll(() => listener.messages).toEqual([{ type: 'other', name: 'x\ufffd' }]);
    listener.socket.terminate();
  });

  it('keeps up with a flood of progress', async () => {
    await using sim = await startSim({ mode: 'step' });
    await using client = createComfyClient({ url: sim.url });
    const { messages, socket } = await listen(sim.url);
    await client.submitPrompt({
      prompt: {
        '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
        '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
      },
      promptId: randomUUID(),
      clientId: socket.clientId,
    });
    const run = await sim.nextPrompt();
    run.start('1');
    await sim.floodProgress(20_000);
    // It is read at a bounded pace.
    await expect
      .poll(() => messages.filter(({ type }) => type === 'progress').length, { timeout: 10_000 })
      .toBe(20_000);
    socket.terminate();
    run.lose();
  });
});

describe('the end of a stream', () => {
  it('is told once when the server cuts it', async () => {
    await using sim = await startRig();
    const { ends, socket } = await listen(sim.url);
    sim.dropSockets();
    await expect.poll(() => ends).toHaveLength(1);
    expect(socket.isOpen).toBe(false);
    socket.terminate();
    expect(ends).toHaveLength(1);
  });

  it('is told once, with code and reason, when the server closes it', async () => {
    await using server = await startRawServer();
    const { ends } = await listen(server.url);
    server.sockets[0]?.close(1012, 'restart');
    await expect.poll(() => ends).toEqual([{ code: 1012, reason: 'restart' }]);
  });

  it('is told once when we end it, and nothing is heard after that', async () => {
    await using sim = await startRig();
    const { ends, messages, socket } = await listen(sim.url);
    await expect.poll(() => messages).not.toHaveLength(0);
    socket.terminate();
    expect(socket.isOpen).toBe(false);
    const heard = messages.length;
    socket.terminate();
    await expect.poll(() => ends).toEqual([{ code: 1006, reason: 'terminated' }]);
    expect(messages).toHaveLength(heard);
    await expect.poll(() => sim.sockets()).toBe(0);
  });

  it('is found by pings when the other side is silent', async () => {
    await using server = await startRawServer({ autoPong: false });
    const { ends } = await listen(server.url, { pingIntervalMs: 30 });
    await expect.poll(() => ends).toEqual([{ code: 1006, reason: 'no answer to a ping' }]);
  });

  it('does not come while the other side answers pings', async () => {
    await using server = await startRawServer();
    // An answer has as long as a ping: a machine that is busy must not be taken for one that is silent.
    const { ends, socket } = await listen(server.url, { pingIntervalMs: 100 });
    let pings = 0;
    server.sockets[0]?.on('ping', () => (pings += 1));
    await expect.poll(() => pings, { timeout: 10_000 }).toBeGreaterThan(5);
    expect(ends).toEqual([]);
    socket.terminate();
  });

  it('comes with a frame beyond the limit', async () => {
    await using server = await startRawServer();
    const { ends, messages } = await listen(server.url, { maxPayload: 1000 });
    server.sockets[0]?.send('x'.repeat(2000));
    await expect.poll(() => ends).toHaveLength(1);
    expect(ends[0]?.reason).toContain('Max payload');
    expect(messages).toEqual([]);
  });

  it('leaves the session id of a fresh socket alone, as each has its own', async () => {
    await using sim = await startRig();
    const first = await listen(sim.url);
    const second = await listen(sim.url);
    expect(first.socket.clientId).not.toBe(second.socket.clientId);
    first.socket.terminate();
    await expect.poll(() => sim.sockets()).toBe(1);
    sim.sendRaw('{"type":"still.there"}', second.socket.clientId);
    await expect.poll(() => second.messages).toContainEqual({ type: 'other', name: 'still.there' });
    second.socket.terminate();
  });
});
