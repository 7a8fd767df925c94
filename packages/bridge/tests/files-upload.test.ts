import { describe, expect, test } from 'vitest';
import { hashContent } from '../src/lib/content-hash.ts';
import { isSavedName } from '../src/files/saved-name.ts';
import { createStore } from './_files-fixtures.ts';
import { type Part, png, jpeg, filePart, body, receive, refusal, inPieces } from './_files-upload.ts';

describe('an upload', () => {
  test('is kept under a random name with the right extension', async () => {
    await using fixture = await createStore();
    const { files } = await receive(fixture, {
      stream: inPieces(body(filePart(png, '내 사진.PNG', 'image'), filePart(jpeg, 'b.jpeg', 'mask')), 50_000),
    });
    expect(files).toMatchObject([
      {
        identifier: 'image',
        fileName: '내 사진.PNG',
        contentType: 'image/png',
        kind: 'image',
        size: png.length,
      },
      { identifier: 'mask', fileName: 'b.jpeg', contentType: 'image/jpeg', size: jpeg.length },
    ]);
    expect(files[0]?.hash).toBe(hashContent(png));
    for (const { savedName, size } of files) {
      expect(isSavedName(savedName)).toBe(true);
      const { stream, size: stored } = await fixture.store.open(`uploads/${savedName}`);
      expect(Buffer.concat(await stream.toArray())).toHaveLength(size);
      expect(stored).toBe(size);
    }
    expect(files[0]?.savedName).toMatch(/\.png$/);
    expect(files[1]?.savedName).toMatch(/\.jpg$/);
    expect(await fixture.left()).toHaveLength(2);
  });

  test('arrives whole however the body is cut into pieces', async () => {
    await using fixture = await createStore();
    for (const size of [1, 7, 64, 1000]) {
      const { files } = await receive(fixture, { stream: inPieces(body(filePart(png)), size) });
      expect(files[0]?.hash).toBe(hashContent(png));
    }
  });

  test('needs no part name: it is called file then', async () => {
    await using fixture = await createStore();
    const unnamed = await receive(fixture, {
      stream: inPieces(body(filePart(png, 'a.png', null)), 1000),
    });
    expect(unnamed.files).toMatchObject([{ identifier: 'file' }]);
    const empty = await receive(fixture, { stream: inPieces(body(filePart(png, 'a.png', '')), 1000) });
    expect(empty.files).toMatchObject([{ identifier: 'file' }]);
  });

  test('may stand among ordinary fields, a preamble and an epilogue', async () => {
    await using fixture = await createStore();
    const field: Part = { disposition: 'form-data; name="clientId"', content: 'abc' };
    const bytes = Buffer.concat([
      Buffer.from('preamble\r\n'),
      body(field, filePart(png), field),
      Buffer.from('epilogue'),
    ]);
    expect((await receive(fixture, { stream: inPieces(bytes, 500) })).files).toHaveLength(1);
  });

  test.each([
    ['UTF-8', 'form-data; name="f"; filename="한글 이름.png"'],
    [
      'an encoded parameter',
      `form-data; name="f"; filename="x.png"; filename*=UTF-8''${encodeURIComponent('한글 이름.png')}`,
    ],
    [
      'the encoding of older Korean programs',
      Buffer.concat([
        Buffer.from('form-data; name="f"; filename="'),
        Buffer.from([0xc7, 0xd1, 0xb1, 0xdb, 0x20, 0xc0, 0xcc, 0xb8, 0xa7]),
        Buffer.from('.png"'),
      ]),
    ],
  ])('keeps a Korean file name in %s', async (_title, disposition) => {
    await using fixture = await createStore();
    const { files } = await receive(fixture, { stream: inPieces(body({ disposition, content: png }), 300) });
    expect(files[0]?.fileName).toBe('한글 이름.png');
  });

  test('may declare nothing, but not something else', async () => {
    await using fixture = await createStore();
    const silent = await receive(fixture, { stream: inPieces(body(filePart(png)), 1000) });
    expect(silent.files).toHaveLength(1);
    const text = receive(fixture, {
      stream: inPieces(body(filePart(png, 'a.png', 'f', 'text/plain')), 1000),
    });
    expect(await refusal(text)).toMatchObject({
      code: 'file_refused',
      message: expect.stringContaining('declared as text/plain'),
    });
  });
});

test('a saved name is told from anything else', () => {
  expect(isSavedName('0b9d5a2e-6c1f-4b7e-9a53-2f1d1c0a7e11.png')).toBe(true);
  for (const name of [
    'a.png',
    '../0b9d5a2e-6c1f-4b7e-9a53-2f1d1c0a7e11.png',
    '0b9d5a2e-6c1f-4b7e-9a53-2f1d1c0a7e11',
    '',
  ]) {
    expect(isSavedName(name)).toBe(false);
  }
});
