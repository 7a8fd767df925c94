import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { BridgeError } from '../src/errors.ts';
import { createStore, wav, windowsProgram } from './_files-fixtures.ts';
import {
  png,
  jpeg,
  boundary,
  limits,
  filePart,
  body,
  receive,
  refusal,
  inPieces,
  seen,
} from './_files-upload.ts';

describe('a refused upload leaves nothing behind', () => {
  const truncated = body(filePart(png)).subarray(0, -30);
  test.each<[string, Buffer, string, RegExp]>([
    [
      'one bad file among good ones',
      body(filePart(png), filePart(windowsProgram(), 'b.png', 'b')),
      'file_refused',
      /^b\.png: its content is EXE/,
    ],
    [
      'a bad file first',
      body(filePart('x', 'b.php.png', 'b'), filePart(png)),
      'file_refused',
      /^b\.php\.png: .*\.php/,
    ],
    ['a path as name', body(filePart(png, '../../etc/a.png')), 'file_refused', /path/],
    [
      'a file over the limit',
      body(filePart(Buffer.alloc(limits.maxBytesPerFile + 1), 'a.wav')),
      'too_large',
      /^a\.wav: .*larger than 1 MB/,
    ],
    [
      'two parts of one name',
      body(filePart(png), filePart(jpeg, 'b.jpg')),
      'bad_request',
      /two parts are named "image"/,
    ],
    [
      'two parts without a name',
      body(filePart(png, 'a.png', null), filePart(png, 'b.png', null)),
      'bad_request',
      /named "file"/,
    ],
    [
      'too many files',
      body(...['1', '2', '3', '4'].map((name) => filePart(png, 'a.png', name))),
      'bad_request',
      /more than 3 files/,
    ],
    [
      'a file part without a filename',
      body(filePart(png), {
        disposition: 'form-data; name="f"',
        type: 'application/octet-stream',
        content: png,
      }),
      'bad_request',
      /filename/,
    ],
    ['an empty filename', body(filePart('', '')), 'bad_request', /filename/],
    [
      'no file at all',
      body({ disposition: 'form-data; name="f"', content: 'hello' }),
      'bad_request',
      /no file with a filename/,
    ],
    ['nothing but the end', Buffer.from(`--${boundary}--\r\n`), 'bad_request', /no file/],
    [
      'fields without bounds',
      body(filePart(png), { disposition: 'form-data; name="f"', content: 'x'.repeat(2000) }),
      'too_large',
      /fields/,
    ],
    ['a body that ends early', truncated, 'bad_request', /ends early/],
    ['a body that is not multipart', Buffer.from('hello'), 'bad_request', /ends early/],
    ['an empty body', Buffer.alloc(0), 'bad_request', /ends early/],
    [
      'a part that is no form field',
      body(filePart(png), { disposition: 'attachment; filename="a.png"', content: png }),
      'bad_request',
      /not valid/,
    ],
  ])('%s', async (_title, bytes, code, message) => {
    await using fixture = await createStore();
    for (const size of [100, 200_000]) {
      expect(await refusal(receive(fixture, { stream: inPieces(bytes, size) }))).toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
      expect(await fixture.left()).toEqual([]);
    }
  });

  test.each([
    [{}, /multipart\/form-data/],
    [{ 'content-type': 'application/json' }, /multipart\/form-data/],
    [{ 'content-type': 'multipart/form-data' }, /boundary/],
    [{ 'content-type': 'multipart/form-data; boundary=' }, /boundary/],
  ])('headers %j', async (headers, message) => {
    await using fixture = await createStore();
    const work = receive(fixture, { stream: inPieces(body(filePart(png)), 1000), headers });
    expect(await refusal(work)).toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(message),
    });
    expect(await fixture.left()).toEqual([]);
  });

  test('a length that says itself that it is too much is refused unread', async () => {
    await using fixture = await createStore();
    let read = 0;
    const stream = new Readable({
      read() {
        read += 1;
        this.push(Buffer.alloc(1000));
      },
    });
    const headers = {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': '999999999',
    };
    expect(await refusal(receive(fixture, { stream, headers }))).toMatchObject({ code: 'too_large' });
    expect(read).toBe(0);
    stream.destroy();
  });

  test('200 MB over a limit of 10 MB are cut off while they stream', async () => {
    await using fixture = await createStore();
    const megabyte = 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 0x41);
    let produced = 0;
    function* generate(): Generator<Buffer> {
      yield body(filePart(wav(100), 'a.wav')).subarray(0, -30);
      while (produced < 200 * megabyte) {
        produced += chunk.length;
        yield chunk;
      }
    }
    const stream = Readable.from(generate(), { objectMode: false });
    const error = await refusal(receive(fixture, { stream, limits: { maxBytesPerFile: 10 * megabyte } }));
    expect(error).toMatchObject({ code: 'too_large', message: 'a.wav: the file is larger than 10 MB' });
    expect(produced).toBeLessThan(20 * megabyte);
    expect(stream.destroyed).toBe(false); // the answer can still be sent
    expect(await fixture.left()).toEqual([]);
    stream.destroy();
  });

  test('a signal', async () => {
    await using fixture = await createStore();
    const stream = new Readable({ read() {} });
    const abort = new AbortController();
    const work = refusal(receive(fixture, { stream, signal: abort.signal }));
    stream.push(body(filePart(png), filePart(jpeg, 'b.jpg', 'b')).subarray(0, -100));
    await seen(fixture, 1);
    abort.abort();
    expect(await work).toMatchObject({ code: 'bad_request' });
    expect(await fixture.left()).toEqual([]);
    stream.destroy();
  });

  test('a client that hangs up half-way', async () => {
    await using fixture = await createStore();
    const { promise, resolve } = Promise.withResolvers<BridgeError>();
    const server = createServer((request) => {
      resolve(
        refusal(
          receive(fixture, {
            stream: request,
            headers: { 'content-type': request.headers['content-type'] ?? '' },
          }),
        ),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address: AddressInfo | string | null = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    const client = httpRequest({
      port: address.port,
      host: '127.0.0.1',
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    });
    client.on('error', () => {});
    client.write(body(filePart(png)).subarray(0, -200));
    await seen(fixture, 1);
    client.destroy();
    expect(await promise).toMatchObject({ code: 'bad_request', message: 'the upload was broken off' });
    expect(await fixture.left()).toEqual([]);
    server.close();
  });

  test('a thousand times', async () => {
    await using fixture = await createStore();
    const bytes = body(filePart(png), filePart(windowsProgram(), 'b.png', 'b'));
    for (let round = 0; round < 1000; round += 20) {
      await Promise.all(
        Array.from({ length: 20 }, () => refusal(receive(fixture, { stream: inPieces(bytes, 8000) }))),
      );
    }
    expect(await fixture.left()).toEqual([]);
  });
});
