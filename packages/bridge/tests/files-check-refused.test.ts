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
