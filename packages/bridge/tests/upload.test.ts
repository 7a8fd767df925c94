import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { accessModes, toHeaderLines } from './_access.ts';
import { detailOf, parseBody, rawConnection, submit, upload, uploadOne } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const png = await readFile(join(workflowsDir, 'input/sample_a.png'));
const jpg = await readFile(join(workflowsDir, 'input/i2i_example.jpg'));
const savedName =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(-[0-9a-f]{16})?\.(png|jpg)$/;

/** Everything that lies in the bridge's folders for files, received or half received. */
async function leftFiles({ dataDir }: TestBridge): Promise<string[]> {
  const folders = await Promise.all(
    ['tmp', 'uploads', 'results'].map((folder) => readdir(join(dataDir, folder))),
  );
  return folders.flat();
}

/** Waits until nothing is left: a client that hangs up is cleaned up after without anybody being told. */
async function untilNothingIsLeft(t: TestBridge): Promise<void> {
  await expect.poll(() => leftFiles(t), { timeout: 5_000 }).toEqual([]);
}

function lengthOf(data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(data.length);
  return bytes;
}

function crcOf(data: Uint8Array): Buffer {
  let crc = 0xffff_ffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((crc ^ 0xffff_ffff) >>> 0);
  return bytes;
}

describe.each(accessModes)('%s', (access) => {
  test('each identifier gets its own saved name: unguessable, with the right extension', async () => {
    await using t = await startBridge({ access, sims: 0 });
    const answer = await upload(t, [
      { name: 'first', bytes: png, fileName: 'cat.png' },
      { name: '둘째', bytes: jpg, fileName: 'dog.jpg', type: 'image/jpeg' },
    ]);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const saved = await parseBody<Record<string, string>>(answer);
    expect(Object.keys(saved)).toEqual(['first', '둘째']);
    expect(saved['first']).toMatch(savedName);
    expect(saved['first']).toMatch(/\.png$/);
    expect(saved['둘째']).toMatch(/\.jpg$/);
    expect((await leftFiles(t)).toSorted()).toEqual(Object.values(saved).toSorted());
  });

  test('a part without a name is called file; a clientId is accepted and not needed', async () => {
    await using t = await startBridge({ access, sims: 0 });
    const boundary = 'xyz';
    const body = Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`,
      ),
      png,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    for (const query of ['', '?clientId=one']) {
      const answer = await t.post(`/upload${query}`, undefined, { body, headers });
      expect(await answer.json()).toEqual({ file: expect.stringMatching(savedName) });
    }
  });

  test('the same file twice gets two names', async () => {
    await using t = await startBridge({ access, sims: 0 });
    expect(await uploadOne(t, png)).not.toBe(await uploadOne(t, png));
  });

  test.each(['고양이 사진.png', '猫.PNG', 'a b (1).png', "it's.png", 'ö"quote.png'])(
    'a file may be called %s',
    async (fileName) => {
      await using t = await startBridge({ access, sims: 0 });
      expect(await uploadOne(t, png, fileName)).toMatch(savedName);
    },
  );

  test('harmless content that holds suspicious words is accepted', async () => {
    await using t = await startBridge({ access, sims: 0 });
    const text = Buffer.from('tEXtComment\0import os <script> eval( #!/bin/sh');
    const chunk = Buffer.concat([lengthOf(text.subarray(4)), text, crcOf(text)]);
    const withWords = Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
    expect(await uploadOne(t, withWords)).toMatch(savedName);
  });

  test.each<[string, Uint8Array, string, string, RegExp]>([
    [
      'an HTML page called .png',
      Buffer.from('<html><script>alert(1)</script>'),
      'cat.png',
      'image/png',
      /cat\.png/,
    ],
    ['a JPEG called .png', jpg, 'cat.png', 'image/png', /cat\.png/],
    ['a PNG declared as JPEG', png, 'cat.png', 'image/jpeg', /cat\.png/],
    ['a script', Buffer.from('#!/bin/sh\n'), 'run.sh', 'text/x-sh', /run\.sh/],
    ['a double extension', png, 'cat.php.png', 'image/png', /cat\.php\.png/],
    [
      'a program behind a picture',
      Buffer.concat([png, Buffer.from('PK\x03\x04'), Buffer.alloc(100)]),
      'cat.png',
      'image/png',
      /cat\.png/,
    ],
    ['half a picture', png.subarray(0, png.length / 2), 'cat.png', 'image/png', /cat\.png/],
    ['an empty file', Buffer.alloc(0), 'cat.png', 'image/png', /cat\.png/],
    ['no extension', png, 'cat', 'image/png', /cat/],
  ])(
    '%s is refused with 400 naming the file, and nothing is kept',
    async (_what, bytes, fileName, type, reason) => {
      await using t = await startBridge({ access, sims: 0 });
      const answer = await upload(t, [
        { name: 'good', bytes: png, fileName: 'good.png' },
        { name: 'bad', bytes, fileName, type },
      ]);
      expect(answer.status).toBe(400);
      expect(await detailOf(answer)).toMatch(reason);
      expect(await leftFiles(t)).toEqual([]);
    },
  );

  test('requests without a file, or with two of one name, or too many, are refused', async () => {
    await using t = await startBridge({ access, sims: 0, env: { MAX_UPLOAD_FILES: '2' } });
    const field = new FormData();
    field.append('file', 'just text');
    expect(await detailOf(await t.post('/upload', undefined, { body: field }))).toMatch(/filename/);
    const file = { bytes: png, fileName: 'a.png' };
    expect(await detailOf(await upload(t, [file, file]))).toMatch(/"file"/);
    const three = ['a', 'b', 'c'].map((name) => ({ ...file, name }));
    expect(await detailOf(await upload(t, three))).toMatch(/more than 2/);
    expect(await leftFiles(t)).toEqual([]);
  });

  test('too large is 413 while it streams: the answer comes before the file has, and nothing is left', async () => {
    await using t = await startBridge({ access, sims: 0, env: { UPLOAD_MAX_SIZE: '0.1' } });
    using raw = rawConnection(t);
    raw.socket.write(
      `POST /upload HTTP/1.1\r\nHost: x\r\n${toHeaderLines(t.credentials)}Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const head =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n';
    raw.socket.write(`${head.length.toString(16)}\r\n${head}\r\n`);
    raw.socket.write(`40000\r\n${'x'.repeat(0x40000)}\r\n`);
    await raw.until(/^HTTP\/1\.1 413 [^]*\{"detail":"a\.png: [^"]+"\}/);
    await untilNothingIsLeft(t);
  });

  test('what announces too much is 413 at once', async () => {
    await using t = await startBridge({ access, sims: 0, env: { UPLOAD_MAX_SIZE: '0.1' } });
    using raw = rawConnection(t);
    raw.socket.write(
      `POST /upload HTTP/1.1\r\nHost: x\r\n${toHeaderLines(t.credentials)}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 209715200\r\n\r\n`,
    );
    await raw.until(/^HTTP\/1\.1 413 [^]*\{"detail":"[^"]+"\}/);
  });

  test('a client that goes away in the middle leaves nothing', async () => {
    await using t = await startBridge({ access, sims: 0 });
    using raw = rawConnection(t);
    raw.socket.write(
      `POST /upload HTTP/1.1\r\nHost: x\r\n${toHeaderLines(t.credentials)}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n` +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
    );
    raw.socket.write(png);
    await expect.poll(() => leftFiles(t), { timeout: 5_000 }).toHaveLength(1);
    raw.socket.resetAndDestroy();
    await untilNothingIsLeft(t);
    expect(t.errors).toEqual([]);
  });

  test('the uploaded file reaches the chosen ComfyUI under the name that its prompt holds', async () => {
    await using t = await startBridge({ access, sims: 2 });
    const saved = await uploadOne(t, png, '고양이.png');
    await submit(t, 'one', { workflow: 'image-to-image', '10/image': saved, '6/text': 'a cat' });
    const [first, second] = t.sims;
    const run = await first?.nextPrompt();
    const name = String(run?.prompt['10']?.inputs['image']);
    expect(Buffer.from(first?.readFile('input', name) ?? []).equals(png)).toBe(true);
    expect(name).not.toContain(saved);
    expect(second?.counters['POST /upload/image']).toBeUndefined();
    const ended = t.nextEvent('job:finished');
    await run?.finish({ images: 1 });
    expect((await ended).job.state).toMatchObject({ status: 'succeeded' });
  });

  test("the author's sample file is sent along when nothing was uploaded, and one upload serves two inputs", async () => {
    await using t = await startBridge({ access });
    await submit(t, 'sample', { workflow: 'image-to-image' });
    const run = await t.sim.nextPrompt();
    expect(
      Buffer.from(t.sim.readFile('input', String(run.prompt['10']?.inputs['image'])) ?? []).equals(jpg),
    ).toBe(true);
    const ended = t.nextEvent('job:finished');
    await run.finish({ images: 1 });
    await ended;
    const before = t.sim.counters['POST /upload/image'] ?? 0;
    const saved = await uploadOne(t, png);
    await submit(t, 'twice', { workflow: 'blend', '1/image': saved, '2/image': saved });
    const blend = await t.sim.nextPrompt();
    expect(blend.prompt['1']?.inputs['image']).toBe(blend.prompt['2']?.inputs['image']);
    expect(t.sim.counters['POST /upload/image']).toBe(before + 1);
  });
});
