import { connect } from 'node:net';

import { describe, expect, test } from 'vitest';

import { accessModes, toHeaderLines } from '../../packages/bridge/tests/_access.ts';
import { createPicture } from './_picture.ts';
import { soonMs, startPulse } from './_pulse.ts';
import { nextNumber, startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const megabyte = 1024 * 1024;

function formOf(bytes: Uint8Array, fileName: string, type = 'image/png'): FormData {
  const form = new FormData();
  form.append('file', new Blob([Uint8Array.from(bytes)], { type }), fileName);
  return form;
}

async function untilTidy(rig: Rig): Promise<void> {
  await waitUntil('no temporary files', async () => (await rig.bridge.leftFiles()).tmp === 0);
}

/** Sends one file until it is answered; the status, and the most memory that the bridge had meanwhile. */
async function uploadMuch(
  rig: Rig,
  bytes: number,
  announced: boolean,
): Promise<{ status: number; most: number }> {
  const socket = connect({ host: '127.0.0.1', port: rig.bridge.port });
  socket.on('error', () => {});
  const answered = Promise.withResolvers<number>();
  socket.once('data', (data) => answered.resolve(Number(data.toString('latin1').split(' ')[1])));
  socket.once('close', () => answered.resolve(0));
  const state = { over: false };
  void answered.promise.then(() => (state.over = true));
  const part =
    '--x\r\nContent-Disposition: form-data; name="file"; filename="big.png"\r\nContent-Type: image/png\r\n\r\n';
  // A picture at first, so that nothing but its size is wrong.
  const beginning = Buffer.concat([Buffer.from(part), createPicture(1, 64)]);
  const framing = announced ? `Content-Length: ${bytes}` : 'Transfer-Encoding: chunked';
  socket.write(
    `POST /upload HTTP/1.1\r\nHost: x\r\n${toHeaderLines(rig.credentials)}Content-Type: multipart/form-data; boundary=x\r\n${framing}\r\n\r\n`,
  );
  const write = (data: Buffer) =>
    announced
      ? socket.write(data)
      : socket.write(
          Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]),
        );
  write(beginning);
  const chunk = Buffer.alloc(256 * 1024);
  let most = 0;
  for (let sent = 0; sent < bytes && !state.over && !socket.destroyed; sent += chunk.length) {
    if (!write(chunk))
      await Promise.race([answered.promise, new Promise((resolve) => socket.once('drain', resolve))]);
    if (sent % (8 * megabyte) === 0) most = Math.max(most, (await rig.bridge.figures()).rss);
  }
  const status = await answered.promise;
  socket.destroy();
  return { status, most };
}

describe.each(accessModes)('%s', (access) => {
  test.each([
    ['announced', true],
    ['not announced', false],
  ] as const)(
    '200 MB over a limit of 100, %s: 413 while it streams, memory stays, nothing is left',
    { timeout: 60_000 },
    async (_how, announced) => {
      await using rig = await startRig({ access, backends: [{}] });
      // The first time, the allocator takes what it later uses again.
      await rig.calls.upload('/upload', formOf(createPicture(1, 512), 'a.png'));
      await uploadMuch(rig, 200 * megabyte, announced);
      const live = await rig.bridge.liveMemory();
      const before = (await rig.bridge.figures()).rss;
      await using pulse = startPulse(rig.bridge, 20);
      const { status, most } = await uploadMuch(rig, 200 * megabyte, announced);
      expect(status).toBe(413);
      // V8 lets about 64 MB of buffers pile up before it looks which are still needed; the file as a whole would be 200.
      expect(most - before).toBeLessThan(100 * megabyte);
      expect((await rig.bridge.liveMemory()) - live).toBeLessThan(5 * megabyte);
      expect(pulse.report().p50).toBeLessThan(soonMs);
      await untilTidy(rig);
    },
  );

  test(
    'what is not what it says is refused, again and again, and nothing is left',
    { timeout: 180_000 },
    async () => {
      await using rig = await startRig({ access, backends: [], ready: false });
      const wrong: [Uint8Array, string, string][] = [
        [Buffer.from(`MZ${'\0'.repeat(200)}`), 'tool.png', 'image/png'],
        [Buffer.from('<html><script>alert(1)</script></html>'), 'page.png', 'image/png'],
        [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), 'drawing.png', 'image/png'],
        [Buffer.from('%PDF-1.7\n'), 'paper.png', 'image/png'],
        [createPicture(1), 'picture.jpg', 'image/jpeg'],
        [createPicture(1), 'picture.png.exe', 'image/png'],
        [createPicture(1).subarray(0, 50), 'half.png', 'image/png'],
      ];
      const rounds = thorough ? 1_500 : 40;
      for (let round = 0; round < rounds; round += 1) {
        const answers = await Promise.all(
          wrong.map(([bytes, name, type]) => rig.calls.upload('/upload', formOf(bytes, name, type))),
        );
        expect(
          answers.map(({ status }) => status).filter((status) => status !== 400 && status !== 415),
        ).toEqual([]);
      }
      await untilTidy(rig);
      expect(await rig.bridge.leftFiles()).toMatchObject({ uploads: 0, tmp: 0 });
    },
  );

  test(
    'a client that hangs up in the middle, and a bridge that is killed in the middle, leave nothing',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ access, backends: [], ready: false });
      const half = () => {
        const socket = connect({ host: '127.0.0.1', port: rig.bridge.port });
        socket.on('error', () => {});
        const part =
          '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n';
        const head = `POST /upload HTTP/1.1\r\nHost: x\r\n${toHeaderLines(rig.credentials)}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ${megabyte}\r\n\r\n`;
        socket.write(
          Buffer.concat([Buffer.from(head + part), createPicture(1).subarray(0, 40), Buffer.alloc(100_000)]),
        );
        return socket;
      };
      const sockets = Array.from({ length: 20 }, half);
      await waitUntil('temporary files', async () => (await rig.bridge.leftFiles()).tmp > 0);
      sockets.forEach((socket) => socket.resetAndDestroy());
      await untilTidy(rig);
      const more = Array.from({ length: 5 }, half);
      await waitUntil('temporary files', async () => (await rig.bridge.leftFiles()).tmp > 0);
      await rig.bridge.kill9();
      more.forEach((socket) => socket.destroy());
      await rig.bridge.start();
      await untilTidy(rig);
    },
  );

  test(
    'an upload survives a kill -9 and reaches the backend; a name that was never given is refused',
    { timeout: 60_000 },
    async () => {
      await using rig = await startRig({ access, backends: [{}] });
      const number = nextNumber();
      const { text } = await rig.calls.upload(
        '/upload',
        formOf(createPicture(number), 'import os <script>.png'),
      );
      const { file }: { file?: string } = JSON.parse(text);
      await rig.bridge.kill9();
      await rig.bridge.start();
      const client = rig.client({ number, workflow: 'staged', inputs: { '1/image': file ?? 'none' } });
      expect((await client.done).end?.kind).toBe('succeeded');
      const stranger = await rig.calls.post('/generate-based-workflow?clientId=s', {
        workflow: 'staged',
        '1/image': `${'0'.repeat(32)}.png`,
      });
      expect(stranger.status).toBe(400);
      expect(await rig.verdict()).toEqual([]);
    },
  );
});

// Without keys nobody knows whose a file is; its name cannot be guessed.
test('keys on: a file of another key is like one that is not there', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ access: 'keys on', backends: [{}] });
  const number = nextNumber();
  const { text } = await rig.calls.upload('/upload', formOf(createPicture(number), 'a.png'));
  const { file = '' }: { file?: string } = JSON.parse(text);
  const theirs = await rig.stranger();
  const use = async (name: string) => {
    const inputs = { workflow: 'staged', '1/image': name };
    const answer = await theirs.post('/generate-based-workflow?clientId=theirs', inputs);
    return [answer.status, answer.text.replaceAll(name, '<name>')];
  };
  const unknown = file.replace(/^.{8}/, '00000000');
  const [status] = await use(file);
  expect(status).toBe(400);
  expect(await use(file)).toEqual(await use(unknown));
  const client = rig.client({ number, workflow: 'staged', inputs: { '1/image': file } });
  expect((await client.done).end?.kind).toBe('succeeded');
  expect(await rig.verdict()).toEqual([]);
});
