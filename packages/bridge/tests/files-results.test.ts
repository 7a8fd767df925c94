import { Readable } from 'node:stream';
import { Response } from 'undici';
import { beforeEach, describe, expect, test } from 'vitest';
import { collectResult, storeTextResult } from '../src/files/collect-result.ts';
import type { FileKey } from '../src/files/file-store.ts';
import { createBase64JsonBody } from '../src/files/write-base64-json.ts';
import { createMultipartBody } from '../src/files/write-multipart.ts';
import {
  createStore,
  mp4,
  picture,
  policy,
  safetensors,
  windowsProgram,
  type StoreFixture,
} from './_files-fixtures.ts';

const png = await picture().png().toBuffer();
const key: FileKey = 'results/job-1/0';
let contentLengthOf: (bytes: Buffer | Readable) => number | undefined = () => undefined;

function collect(
  { store }: StoreFixture,
  bytes: Buffer | Readable,
  fileName: string,
  contentType?: string,
  signal?: AbortSignal,
) {
  const body = bytes instanceof Readable ? bytes : Readable.from([bytes]);
  const source = { body, contentType, fileName, key, contentLength: contentLengthOf(bytes) };
  return collectResult({ store, policy, maxBytes: 1_000_000 }, source, signal);
}

/** What is announced as small is checked in memory, what is not, on disk. */
describe.each([
  ['announced as small', (bytes: Buffer | Readable) => (Buffer.isBuffer(bytes) ? bytes.length : 1_000)],
  ['of unknown length', () => undefined],
])('a result %s', (_title, announce) => {
  beforeEach(() => {
    contentLengthOf = announce;
  });

  test.each([
    ['ComfyUI_00001_.png', png, 'image/png', 'image/png', 'image'],
    ['ComfyUI_00001_.png', png, 'application/octet-stream', 'image/png', 'image'],
    ['AnimateDiff_00001.mp4', mp4(), undefined, 'video/mp4', 'video'],
    [
      'ComfyUI_00001_.latent',
      safetensors(),
      'application/octet-stream',
      'application/x-safetensors',
      'latent',
    ],
  ])('%s', async (fileName, bytes, declared, contentType, type) => {
    await using fixture = await createStore();
    const outcome = await collect(fixture, bytes, fileName, declared);
    expect(outcome).toMatchObject({ ok: true, result: { fileName, contentType, type, size: bytes.length } });
    const { stream } = await fixture.store.open(key);
    expect(Buffer.concat(await stream.toArray()).equals(bytes)).toBe(true);
    expect(await fixture.left()).toHaveLength(1);
  });

  test('gets a clean name', async () => {
    await using fixture = await createStore();
    expect(await collect(fixture, png, '../../etc/x\n.png')).toMatchObject({
      ok: true,
      result: { fileName: 'x_.png' },
    });
    const long = await collect(fixture, png, `${'한'.repeat(300)}.png`);
    expect(long).toMatchObject({ ok: true, result: { fileName: expect.stringMatching(/^한{60,}\.png$/) } });
  });

  test.each([
    ['a program', 'a.png', windowsProgram(), undefined, /^a\.png: its content is EXE/],
    ['a name that is a script', 'a.php.png', png, undefined, /\.php/],
    ['a declared type that disagrees', 'a.png', png, 'text/html', /declared as text\/html/],
    ['a cut off picture', 'a.png', png.subarray(0, -100), undefined, /cut off/],
    ['no name', '', png, undefined, /file name/],
  ])('that is %s is refused and not kept', async (_title, fileName, bytes, declared, reason) => {
    await using fixture = await createStore();
    expect(await collect(fixture, bytes, fileName, declared)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
    });
    expect(await fixture.left()).toEqual([]);
  });

  test('without end is cut off at the cap', async () => {
    await using fixture = await createStore();
    let produced = 0;
    const endless = new Readable({
      read() {
        produced += 64_000;
        this.push(Buffer.alloc(64_000));
      },
    });
    expect(await collect(fixture, endless, 'a.png')).toEqual({
      ok: false,
      reason: expect.stringMatching(/larger than|longer than was announced/),
    });
    expect(endless.destroyed).toBe(true);
    expect(produced).toBeLessThan(8_000_000);
    expect(await fixture.left()).toEqual([]);
  });

  test('that breaks off, or is given up, is an error and not a refusal', async () => {
    await using fixture = await createStore();
    const broken = new Readable({
      read() {
        this.destroy(new Error('socket closed'));
      },
    });
    await expect(collect(fixture, broken, 'a.png')).rejects.toThrow('socket closed');
    const silent = new Readable({ read() {} });
    const abort = new AbortController();
    const given = collect(fixture, silent, 'a.png', undefined, abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    expect(silent.destroyed).toBe(true);
    expect(await fixture.left()).toEqual([]);
  });

  test('in words becomes a text file', async () => {
    await using fixture = await createStore();
    const context = { store: fixture.store, policy, maxBytes: 100 };
    expect(await storeTextResult(context, { text: '안녕 <script>', key })).toMatchObject({
      ok: true,
      result: { fileName: 'text.txt', contentType: 'text/plain', type: 'text', size: 15 },
    });
    const { stream } = await fixture.store.open(key);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('안녕 <script>');
    expect(await storeTextResult(context, { text: 'x'.repeat(101), key })).toMatchObject({ ok: false });
    expect(await storeTextResult(context, { text: '', key: 'results/job-1/1' })).toMatchObject({
      ok: true,
      result: { size: 0 },
    });
  });
});

describe('delivered results', () => {
  const contents = [png, Buffer.alloc(0), Buffer.alloc(100_001, 7), Buffer.from('한글')];
  const names = ['x.png', 'a "quoted"\r\nname.txt', '한글 이름.bin', 'y.txt'];

  function files(
    open: (index: number) => Readable = (index) => Readable.from(pieces(contents[index] ?? Buffer.alloc(0))),
  ) {
    return contents.map((content, index) => ({
      name: `result_${index}`,
      fileName: names[index] ?? '',
      contentType: index === 0 ? 'image/png' : 'application/octet-stream',
      size: content.length,
      open: () => Promise.resolve(open(index)),
    }));
  }

  function pieces(content: Buffer): Buffer[] {
    const cut: Buffer[] = [];
    for (let at = 0; at < content.length; at += 997) cut.push(content.subarray(at, at + 997));
    return cut;
  }

  test('as multipart are what a client parses, of the announced length', async () => {
    const { contentType, contentLength, stream } = createMultipartBody(files());
    const bytes = Buffer.concat(await stream.toArray());
    expect(bytes).toHaveLength(contentLength);
    expect(bytes.toString('latin1')).toContain(
      'Content-Disposition: form-data; name="result_0"; filename="x.png"\r\n',
    );
    const form = await new Response(bytes, { headers: { 'content-type': contentType } }).formData();
    for (const [index, content] of contents.entries()) {
      const file = form.get(`result_${index}`);
      if (file === null || typeof file === 'string') throw new Error('no file');
      expect(file.name).toBe(names[index]);
      expect(Buffer.from(await file.arrayBuffer()).equals(content)).toBe(true);
    }
  });

  test('as base64 are JSON of the announced length', async () => {
    const { contentType, contentLength, stream } = createBase64JsonBody(files());
    const bytes = Buffer.concat(await stream.toArray());
    expect(contentType).toBe('application/json');
    expect(bytes).toHaveLength(contentLength);
    expect(JSON.parse(bytes.toString())).toEqual({
      files: contents.map((content, index) => ({
        file_name: names[index],
        content_type: index === 0 ? 'image/png' : 'application/octet-stream',
        content: content.toString('base64'),
      })),
    });
  });

  test('can be none at all', async () => {
    const json = createBase64JsonBody([]);
    expect(Buffer.concat(await json.stream.toArray()).toString()).toBe('{"files":[]}');
    expect(json.contentLength).toBe(12);
    const multipart = createMultipartBody([]);
    expect(Buffer.concat(await multipart.stream.toArray())).toHaveLength(multipart.contentLength);
  });

  test.each([createMultipartBody, createBase64JsonBody])(
    'fail rather than break the announced length',
    async (create) => {
      const shorter = create(files(() => Readable.from([Buffer.from('x')])));
      await expect(shorter.stream.toArray()).rejects.toThrow('changed its size');
    },
  );

  test.each([createMultipartBody, createBase64JsonBody])(
    'open one file at a time and close it when the client goes away',
    async (create) => {
      const opened: Readable[] = [];
      const { stream } = create(
        files((index) => {
          // One byte, then silence: destroying must not wait for more.
          const source = new Readable({ read() {} });
          source.push(Buffer.alloc(1));
          opened[index] = source;
          return source;
        }),
      );
      await new Promise((resolve) => stream.once('readable', resolve));
      while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve));
      stream.destroy();
      await new Promise((resolve) =>
        opened[0]?.closed === true ? resolve(undefined) : opened[0]?.once('close', resolve),
      );
      expect(opened).toHaveLength(1);
    },
  );
});
