import { gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';
import { parseAllowedTypes } from '../src/files/allowed-types.ts';
import {
  animatedGif,
  bmp,
  check,
  ebml,
  mp4,
  picture,
  pngChunk,
  wav,
  windowsProgram,
  withPngChunks,
  zipArchive,
} from './_files-fixtures.ts';

const png = await picture().png().toBuffer();
const jpeg = await picture().jpeg().toBuffer();
const webp = await picture().webp().toBuffer();
const gif = await picture().gif().toBuffer();

function append(bytes: Buffer, tail: Buffer | string): Buffer {
  return Buffer.concat([bytes, Buffer.from(tail)]);
}

/** Of one empty file. */
function tarArchive(): Buffer {
  const archive = Buffer.alloc(1536);
  archive.write('evil.sh', 0);
  archive.write('ustar', 257);
  return archive;
}

function withComment(jpeg: Buffer, comment: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, 0]);
  head.writeUInt16BE(comment.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, comment, jpeg.subarray(2)]);
}

function readPngChunk(bytes: Buffer, wanted: string): Buffer {
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === wanted) return bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
  throw new Error(`no ${wanted} in the picture`);
}

/** A WebP of one chunk with half of its data, and sizes that say so. */
function halveRiff(bytes: Buffer): Buffer {
  const length = Math.floor(bytes.readUInt32LE(16) / 4) * 2;
  const halved = Buffer.from(bytes.subarray(0, 20 + length));
  halved.writeUInt32LE(12 + length, 4);
  halved.writeUInt32LE(length, 16);
  return halved;
}

describe('what is refused', () => {
  const html = Buffer.from('<!doctype html><html><script>alert(1)</script></html>');
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const pdf = Buffer.from('%PDF-1.7\n%\xe2\xe3\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF');

  test.each([
    ['a program as .png', 'a.png', windowsProgram(), /content is EXE.*not PNG/],
    ['HTML as .png', 'a.png', html, /not PNG/],
    ['SVG as .png', 'a.png', svg, /not PNG/],
    ['PDF as .png', 'a.png', pdf, /content is PDF/],
    ['ZIP as .png', 'a.png', zipArchive(), /content is ZIP/],
    ['PNG as .jpg', 'a.jpg', png, /content is PNG, not JPEG/],
    ['JPEG as .png', 'a.png', jpeg, /content is JPEG, not PNG/],
    ['HTML as .txt', 'a.txt', html, /not plain text/],
    ['a script as .txt', 'a.txt', Buffer.from('\n#!/bin/sh\nrm -rf /'), /not plain text/],
    ['PDF as .txt', 'a.txt', Buffer.from('%PDF-1.7\n1 0 obj'), /not plain text/],
    ['PDF behind a line of text', 'a.txt', Buffer.from('hello\n%PDF-1.7\n1 0 obj'), /not plain text/],
    ['SVG as .txt', 'a.txt', svg, /not plain text/],
    [
      'SVG behind a comment',
      'a.txt',
      Buffer.from(`\ufeff <!-- a -->\n<!-- b -->${svg.toString()}`),
      /not plain text/,
    ],
    [
      'a page behind a comment without end',
      'a.txt',
      Buffer.from(`<!-- ${'x'.repeat(2000)} --><html>`),
      /not plain text/,
    ],
    ['RTF as .txt', 'a.txt', Buffer.from('{\\rtf1 hello}'), /not plain text/],
    ['a tar archive as .txt', 'a.txt', tarArchive(), /NUL/],
    ['ELF as .png', 'a.png', Buffer.from(`\x7fELF\x02\x01\x01${'\0'.repeat(100)}`, 'latin1'), /not PNG/],
    ['ZIP as .mp4', 'a.mp4', zipArchive(), /content is ZIP/],
    ['gzip as .wav', 'a.wav', gzipSync('x'.repeat(99)), /content is GZ/],
    ['a program as .txt', 'a.txt', windowsProgram(), /NUL|UTF-8/],
    ['text that is not UTF-8', 'a.txt', Buffer.from([0xb0, 0xa1, 0xb0, 0xa2]), /not UTF-8/],
    ['text that ends within a character', 'a.txt', Buffer.from('한글').subarray(0, 5), /not UTF-8/],
    ['WAV as .mp3', 'a.mp3', wav(), /content is WAV, not MP3/],
    ['Matroska as .webm', 'a.webm', ebml('matroska'), /content is Matroska, not WebM/],
    ['MP4 as .webm', 'a.webm', mp4(), /content is MP4, not WebM/],
    ['SVG by name', 'a.svg', svg, /type \.svg|program or script/],
    ['HTML by name', 'a.html', html, /program or script/],
    ['an unknown extension', 'a.xyz', png, /type \.xyz are not allowed; allowed are .*\.png/],
    ['an empty file', 'a.png', Buffer.alloc(0), /empty/],
    ['an empty text', 'a.txt', Buffer.alloc(0), /empty/],
    ['a PNG signature alone', 'a.png', png.subarray(0, 8), /cut off|damaged|content is/],
  ])('%s', async (_title, name, bytes, reason) => {
    expect(await check(bytes, name)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  test.each([
    ['a ZIP behind a PNG', 'a.png', append(png, zipArchive())],
    ['a ZIP behind a JPEG', 'a.jpg', append(jpeg, zipArchive())],
    ['a ZIP in a private chunk of a PNG', 'a.png', withPngChunks(png, pngChunk('prVt', zipArchive()))],
    [
      'a ZIP in a text chunk of a PNG',
      'a.png',
      withPngChunks(png, pngChunk('tEXt', Buffer.concat([Buffer.from('a\0'), zipArchive()]))),
    ],
    ['a ZIP behind a video', 'a.mp4', append(mp4(), zipArchive())],
    [
      'a program in a private chunk of a PNG',
      'a.png',
      withPngChunks(png, pngChunk('prVt', windowsProgram())),
    ],
    ['a program behind a PNG', 'a.png', append(png, windowsProgram())],
    [
      'a tar archive in a private chunk of a PNG',
      'a.png',
      withPngChunks(png, pngChunk('prVt', tarArchive())),
    ],
    ['a ZIP in a comment of a JPEG', 'a.jpg', withComment(jpeg, zipArchive())],
    ['a PDF in a comment of a JPEG', 'a.jpg', withComment(jpeg, pdf)],
    ['a page behind a JPEG', 'a.jpg', append(jpeg, '<!-- --><html><body onload=alert(1)>')],
    ['a program behind padding', 'a.png', append(png, Buffer.concat([Buffer.alloc(40), windowsProgram()]))],
    ['an ELF program behind a GIF', 'a.gif', append(gif, '\x7fELF\x02')],
    ['a script behind a GIF', 'a.gif', append(gif, '*/=1;alert(document.cookie)')],
    ['a script behind a WebP', 'a.webp', append(webp, '<script>alert(1)</script>')],
    ['PHP behind a JPEG', 'a.jpg', append(jpeg, '<?php system($_GET[0]); ?>')],
    ['short PHP behind a JPEG', 'a.jpg', append(jpeg, '<?=`$_GET[0]`?>')],
    ['a shell script behind a PNG', 'a.png', append(png, '#!/bin/sh\nid')],
    ['a program behind a WAV', 'a.wav', append(wav(), windowsProgram())],
    ['a RAR archive behind a video', 'a.mp4', append(mp4(), Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'))],
    ['unexplained bytes behind a PNG', 'a.png', append(png, Buffer.alloc(300, 0x41))],
    ['bytes behind a BMP', 'a.bmp', append(bmp(), Buffer.alloc(300, 0x41))],
    ['more padding than anybody needs', 'a.png', append(png, Buffer.alloc(200_000))],
  ])('something hidden: %s', async (_title, name, bytes) => {
    expect(await check(bytes, name)).toEqual({
      ok: false,
      reason: expect.stringMatching(/hidden|follow the end/),
    });
  });

  test.each([
    ['png', png],
    ['jpg', jpeg],
    ['webp', webp],
    ['gif', gif],
    ['bmp', bmp()],
  ])('a cut off .%s, wherever it is cut', async (extension, bytes) => {
    for (const missing of [1, 5, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2)]) {
      const cut = bytes.subarray(0, bytes.length - missing);
      expect(await check(cut, `a.${extension}`)).toEqual({
        ok: false,
        reason: expect.stringMatching(/cut off|damaged/),
      });
    }
  });

  // Below and above the size from which a picture is shrunk while it is decoded.
  test.each([64, 700])('pixels that end early within a whole structure, %i pixels wide', async (width) => {
    const whole = picture(width, width);
    const [wholePng, wholeJpeg, wholeWebp, wholeGif, wholeTiff, wholeAvif] = await Promise.all([
      whole.clone().png().toBuffer(),
      whole.clone().jpeg().toBuffer(),
      whole.clone().webp({ lossless: true }).toBuffer(),
      whole.clone().gif({ effort: 1 }).toBuffer(),
      whole.clone().tiff({ compression: 'lzw' }).toBuffer(),
      whole.clone().avif({ effort: 0 }).toBuffer(),
    ]);
    const pixels = readPngChunk(wholePng, 'IDAT');
    const cut = {
      png: Buffer.concat([
        wholePng.subarray(0, 33),
        pngChunk('IDAT', pixels.subarray(0, pixels.length / 2)),
        pngChunk('IEND', Buffer.alloc(0)),
      ]),
      // With an end put behind them decoders fill up the rest of these two: whole pictures, if dull ones.
      jpg: wholeJpeg.subarray(0, wholeJpeg.length / 2),
      gif: wholeGif.subarray(0, wholeGif.length / 2),
      webp: halveRiff(wholeWebp),
      tiff: wholeTiff.subarray(0, wholeTiff.length / 2),
      avif: wholeAvif.subarray(0, wholeAvif.length / 2),
    };
    const all = {
      png: wholePng,
      jpg: wholeJpeg,
      webp: wholeWebp,
      gif: wholeGif,
      tiff: wholeTiff,
      avif: wholeAvif,
    };
    const types = ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'];
    const allowed = parseAllowedTypes(Object.fromEntries(types.map((type) => [`image/${type}`, `.${type}`])));
    if (!allowed.ok) throw new Error('the map is wrong');
    const limits = { allowed: allowed.allowed };
    for (const [extension, bytes] of Object.entries(all))
      expect([extension, await check(bytes, `a.${extension}`, { limits })]).toMatchObject([
        extension,
        { ok: true },
      ]);
    for (const [extension, bytes] of Object.entries(cut)) {
      expect([extension, await check(bytes, `a.${extension}`, { limits })]).toEqual([
        extension,
        { ok: false, reason: expect.stringMatching(/cut off|damaged|of no known type/) },
      ]);
    }
  });

  test('a PNG without width or height, or whose first chunk is no header', async () => {
    const header = Buffer.from(png.subarray(16, 29));
    header.writeUInt32BE(0, 4);
    const rest = [pngChunk('IDAT', Buffer.alloc(9)), pngChunk('IEND', Buffer.alloc(0))];
    for (const first of [pngChunk('IHDR', header), pngChunk('tEXt', Buffer.from('a\0b'))]) {
      const bytes = Buffer.concat([png.subarray(0, 8), first, ...rest]);
      expect(await check(bytes, 'a.png')).toMatchObject({ ok: false });
    }
  });

  test('damaged pixels within a whole structure', async () => {
    const damaged = withPngChunks(
      png.subarray(0, 33),
      pngChunk('IDAT', Buffer.alloc(100, 1)),
      pngChunk('IEND', Buffer.alloc(0)),
    );
    expect(await check(damaged, 'a.png')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/damaged/),
    });
  });

  test('a small file that claims to be huge, before anything is decoded', async () => {
    const header = Buffer.from(png.subarray(16, 29));
    header.writeUInt32BE(50_000, 0);
    header.writeUInt32BE(50_000, 4);
    // No pixels at all: only the header can be the reason.
    const bomb = Buffer.concat([
      png.subarray(0, 8),
      pngChunk('IHDR', header),
      pngChunk('IDAT', Buffer.alloc(9)),
      pngChunk('IEND', Buffer.alloc(0)),
    ]);
    expect(await check(bomb, 'a.png')).toEqual({
      ok: false,
      reason: expect.stringMatching(/50000×50000 pixels/),
    });
    header.writeUInt32BE(11_000, 0);
    header.writeUInt32BE(11_000, 4);
    const large = Buffer.concat([
      png.subarray(0, 8),
      pngChunk('IHDR', header),
      pngChunk('IDAT', Buffer.alloc(9)),
      pngChunk('IEND', Buffer.alloc(0)),
    ]);
    expect(await check(large, 'a.png')).toEqual({
      ok: false,
      reason: expect.stringMatching(/at most 100000000 in all/),
    });
  });

  test('too many frames, in a GIF and in an APNG', async () => {
    const limits = { maxFrames: 4 };
    expect(await check(await animatedGif(5), 'a.gif', { limits })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('5 frames'),
    });
    const control = Buffer.alloc(8);
    control.writeUInt32BE(2000);
    const apng = withPngChunks(png, pngChunk('acTL', control));
    expect(await check(apng, 'a.png')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('2000 frames'),
    });
  });

  test.each([
    ['image/jpeg', 'a.png'],
    ['text/plain', 'a.png'],
    ['text/html', 'a.png'],
    ['application/x-msdownload', 'a.png'],
    ['no type at all', 'a.png'],
  ])('a PNG declared as %s', async (declaredType, name) => {
    expect(await check(png, name, { declaredType })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^it is declared as/),
    });
  });

  test.each([
    ['x.php.png', /program or script \(\.php\)/],
    ['x.png.exe', /program or script \(\.exe\)/],
    ['x.PhP.png', /\.php/],
    ['x.js.png', /\.js/],
    ['x.php;.png', /\.php/],
    ['x.php:.png', /\.php/],
    ['x.svg.png', /\.svg/],
    ['.htaccess.png', /\.htaccess/],
    ['../a.png', /path/],
    ['..\\a.png', /path/],
    ['C:\\a.png', /path/],
    ['/etc/a.png', /path/],
    ['a\0.png', /control/],
    ['a\n.png', /control/],
    ['a\u202Egnp.png', /hide/],
    ['CON.png', /reserved/],
    ['lpt1.png', /reserved/],
    ['a.png.', /ends with/],
    ['a.png ', /ends with/],
    ['a', /no extension/],
    ['.png', /no extension/],
    [' ', /empty/],
    [`${'a'.repeat(260)}.png`, /longer/],
  ])('the name %j', async (name, reason) => {
    expect(await check(png, name)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  test('what a stricter map leaves out', async () => {
    const parsed = parseAllowedTypes({ 'image/png': '.png' });
    const limits = { allowed: parsed.ok ? parsed.allowed : new Map() };
    expect(await check(png, 'a.png', { limits })).toMatchObject({ ok: true });
    expect(await check(jpeg, 'a.jpg', { limits })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/allowed are \.png/),
    });
  });
});
