import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { createComfyClient } from '../src/comfy/comfy-client.ts';
import type { ComfyClientOptions, ComfyClient } from '../src/comfy/comfy-client.ts';
import { failing } from './_comfy-rig.ts';

interface Raw extends AsyncDisposable {
  client: ComfyClient;
  url: string;
  connections(): number;
}

/** A server that writes what it likes once a request has come, and a client of it. */
async function startRaw(
  answer: (socket: Socket) => void,
  options: ComfyClientOptions = { deadlineMs: 2000 },
): Promise<Raw> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('data', () => answer(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  const client = createComfyClient({ url: `http://127.0.0.1:${port}` }, options);
  return {
    client,
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      await client.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const file = { filename: 'a.png', subfolder: '', type: 'output' } as const;

function head(...lines: string[]): string {
  return ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
}

test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip'])(
  'an answer in %s is refused before anything is decoded, a file as well',
  async (encoding) => {
    const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024, 32));
    await using raw = await startRaw((socket) => {
      socket.write(head(`content-encoding: ${encoding}`, `content-length: ${bomb.length}`));
      socket.write(bomb);
    });
    await expect(raw.client.queueRemaining()).rejects.toEqual(failing('malformed', 200));
    await expect(raw.client.view(file)).rejects.toEqual(failing('malformed', 200));
    await expect(raw.client.objectInfo()).rejects.toEqual(failing('malformed', 200));
  },
);

test('headers beyond 16 KB end the call', async () => {
  await using raw = await startRaw((socket) => {
    socket.write(head(`x: ${'y'.repeat(20 * 1024)}`, 'content-length: 2'));
  });
  await expect(raw.client.queueRemaining()).rejects.toEqual(failing('malformed'));
});

test('headers without end are cut off, not kept', async () => {
  await using raw = await startRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const more = (): void => void (socket.destroyed || socket.write('a: b\r\n'.repeat(1000), more));
    more();
  });
  await expect(raw.client.queueRemaining()).rejects.toEqual(failing('malformed'));
});

test('an endless row of interim answers ends by the deadline', async () => {
  const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(10);
  await using raw = await startRaw(
    (socket) => {
      const timer = setInterval(() => socket.write(interim), 5);
      socket.once('close', () => clearInterval(timer));
    },
    { deadlineMs: 200 },
  );
  await expect(raw.client.queueRemaining()).rejects.toEqual(failing('timeout'));
});

test('an answer that trickles in ends by the deadline', async () => {
  await using raw = await startRaw(
    (socket) => {
      socket.write(head('content-length: 1000000'));
      const timer = setInterval(() => socket.write(' '), 5);
      socket.once('close', () => clearInterval(timer));
    },
    { deadlineMs: 200 },
  );
  await expect(raw.client.queueRemaining()).rejects.toEqual(failing('timeout'));
});

test('a file that trickles in is cut off, although it is never silent', async () => {
  await using raw = await startRaw(
    (socket) => {
      socket.write(head('content-length: 1000000'));
      const timer = setInterval(() => socket.write(' '), 10);
      socket.once('close', () => clearInterval(timer));
    },
    { idleTimeoutMs: 300 },
  );
  const { body } = await raw.client.view(file);
  await expect(body.toArray()).rejects.toEqual(failing('timeout'));
});

test('a file that its reader is slow to take is not cut off for that', async () => {
  const bytes = Buffer.alloc(400_000, 7);
  await using raw = await startRaw(
    (socket) => {
      socket.write(head(`content-length: ${bytes.length}`));
      socket.write(bytes);
    },
    { idleTimeoutMs: 50 },
  );
  const { body } = await raw.client.view(file);
  let size = 0;
  let pauses = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    // Two looks at the pace go by.
    if ((pauses += 1) <= 2) await new Promise((resolve) => setTimeout(resolve, 120));
  }
  expect(size).toBe(bytes.length);
});

test.each([
  ['announces more than it may', head('content-length: 9999999999'), 'too-large'],
  ['announces more than it sends', `${head('content-length: 500')}{}`, 'unreachable'],
  ['announces a negative length', `${head('content-length: -5')}{}`, 'malformed'],
  ['announces two lengths', `${head('content-length: 2', 'content-length: 3')}{}`, 'malformed'],
  [
    'announces a length and chunks',
    `${head('content-length: 2', 'transfer-encoding: chunked')}{}`,
    'malformed',
  ],
  ['breaks off in a chunk', `${head('transfer-encoding: chunked')}FFFF\r\n{}`, 'unreachable'],
])('an answer that %s fails', async (_what, answer, failure) => {
  await using raw = await startRaw((socket) =>
    socket.write(answer, () => setTimeout(() => socket.end(), 20)),
  );
  await expect(raw.client.queueRemaining()).rejects.toEqual(failing(failure));
});

test('what is sent beyond the announced length is not read, and is no answer to another call', async () => {
  const body = '{"exec_info":{"queue_remaining":3}}';
  const other = '{"exec_info":{"queue_remaining":9}}';
  const answer = `${head(`content-length: ${body.length}`)}${body}`;
  await using raw = await startRaw((socket) => {
    socket.write(`${answer}${head(`content-length: ${other.length}`)}${other}`);
  });
  await expect(raw.client.queueRemaining()).resolves.toBe(3);
  await expect(raw.client.queueRemaining()).resolves.toBe(3);
  expect(raw.connections()).toBe(2);
});

test.each([301, 302, 303, 307, 308])(
  'a redirect (%d) leads nowhere, for HTTP and the WebSocket',
  async (status) => {
    let asked = 0;
    await using target = await startRaw(() => void (asked += 1));
    await using raw = await startRaw((socket) => {
      socket.end(`HTTP/1.1 ${status} Moved\r\nlocation: ${target.url}/ws\r\ncontent-length: 0\r\n\r\n`);
    });
    await expect(raw.client.queueRemaining()).rejects.toEqual(failing('status', status));
    const options = { clientId: 'c', deadlineMs: 2000, onMessage: () => {}, onClose: () => {} };
    await expect(raw.client.openSocket(options)).rejects.toEqual(failing('status', status));
    expect([asked, target.connections(), raw.connections()]).toEqual([0, 0, 2]);
  },
);
