import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

import { expect, onTestFinished, test } from 'vitest';

import { detailOf, ended, rawConnection, submit } from './_requests.ts';
import type { RawConnection } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

const megabyte = 1024 * 1024;

/** Resolves when the bridge has handed the last byte of a result to the system. */
function untilSent(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hook = Symbol.for('comfy-bridge.crash-point');
  Reflect.set(globalThis, hook, (point: string) => {
    if (point === 'delivery-sent') resolve();
  });
  onTestFinished(() => void Reflect.deleteProperty(globalThis, hook));
  return promise;
}

test('a client that resets when all was sent but not received can fetch again', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  await run.finish({ outputs: { '9': { text: ['x'.repeat(megabyte)] } } });
  await ended(t, 'one');
  const sent = untilSent();
  const { hostname, port } = new URL(t.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => socket.destroy());
  // It never reads: what arrives stays in the buffers of the system.
  socket.pause();
  socket.write('GET /history?clientId=one HTTP/1.1\r\nHost: x\r\n\r\n');
  await sent;
  socket.resetAndDestroy();
  const delivered = t.nextEvent('job:delivered');
  const again = await t.get('/history?clientId=one');
  expect(again.status).toBe(200);
  expect((await again.arrayBuffer()).byteLength).toBeGreaterThan(megabyte);
  await delivered;
  expect((await t.get('/history?clientId=one')).status).toBe(204);
  expect(t.errors).toEqual([]);
});

test('a client that reads all and hangs up has received it', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  const delivered = t.nextEvent('job:delivered');
  using raw = rawConnection(t);
  raw.socket.write('GET /history?clientId=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(await raw.received).toMatch(/^HTTP\/1\.1 200 /);
  await delivered;
});

/** Sends everything before it reads a single byte, as simple clients and proxies do. */
async function sendAll(raw: RawConnection, head: string, start: string, fill: number): Promise<void> {
  raw.socket.pause();
  raw.socket.write(`${head}\r\n\r\n${start}`);
  const block = Buffer.alloc(64 * 1024, 'x');
  for (let sent = 0; sent < fill; sent += block.length) {
    if (!raw.socket.write(block)) await Promise.race([once(raw.socket, 'drain'), raw.received]);
  }
  // Long after the answer was given.
  for (let turns = 0; turns < 100; turns += 1) await turn();
  raw.socket.resume();
}

const part = (fileName: string) =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\nContent-Type: image/png\r\n\r\n`;
const uploadHead = (length: number) =>
  `POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}`;

test.each([
  ['a forbidden name', 'keep-alive', 400, 'evil.sh', /evil\.sh/],
  ['too large a file', 'keep-alive', 413, 'a.png', /a\.png/],
  ['a forbidden name', 'close', 400, 'evil.sh', /evil\.sh/],
  ['too large a file', 'close', 413, 'a.png', /a\.png/],
])(
  'an upload with %s (Connection: %s): the client that sends it all first still reads the %d and its reason',
  async (_what, connection, status, name, reason) => {
    await using t = await startBridge({ sims: 0, env: { UPLOAD_MAX_SIZE: '1', MAX_UPLOAD_FILES: '64' } });
    using raw = rawConnection(t);
    const fill = 24 * megabyte;
    const head = `${uploadHead(part(name).length + fill)}\r\nConnection: ${connection}`;
    await sendAll(raw, head, part(name), fill);
    const text = await raw.until(/\{"detail":"[^"]+"\}/);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(reason);
    if (connection === 'close') await raw.received;
    else {
      // The connection serves the next request.
      raw.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      await raw.until(/HTTP\/1\.1 200 /);
    }
    expect(t.errors).toEqual([]);
  },
);

test.each([
  ['announced', 'keep-alive'],
  ['chunked', 'keep-alive'],
  ['announced', 'close'],
  ['chunked', 'close'],
])(
  'JSON that is too large and %s (Connection: %s): who sends it all first still reads the 413',
  async (how, connection) => {
    await using t = await startBridge({ sims: 0, env: { MAX_JSON_SIZE: '1' } });
    using raw = rawConnection(t);
    const fill = 16 * megabyte;
    const head = `POST /generate-based-workflow?clientId=one HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n`;
    if (how === 'announced') await sendAll(raw, `${head}Content-Length: ${fill}`, '', fill);
    else await sendAll(raw, `${head}Transfer-Encoding: chunked`, `${fill.toString(16)}\r\n`, fill);
    expect(await raw.until(/\{"detail":"[^"]+"\}/)).toMatch(/^HTTP\/1\.1 413 /);
    expect(t.errors).toEqual([]);
  },
);

test('one that hangs up in the middle of its request is no error of the bridge', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const path of ['/generate-based-workflow?clientId=one', '/upload']) {
    using raw = rawConnection(t);
    raw.socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n{"workflow"`,
    );
    // Answered behind it, so the bridge has seen its head.
    expect((await t.get('/healthz')).status).toBe(200);
    raw.socket.resetAndDestroy();
    await raw.received;
  }
  const answer = await t.get('/workflow-info?workflow=none');
  expect(await detailOf(answer)).toContain('none');
  expect(t.errors).toEqual([]);
});
