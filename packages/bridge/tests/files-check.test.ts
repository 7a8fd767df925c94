import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  animatedGif,
  bmp,
  check,
  ebml,
  flac,
  glb,
  mp3,
  mp4,
  ogg,
  picture,
  pngChunk,
  policy,
  safetensors,
  wav,
  withPngChunks,
} from './_files-fixtures.ts';

const png = await picture().png().toBuffer();
const jpeg = await picture().jpeg().toBuffer();
const webp = await picture().webp().toBuffer();
const gif = await picture().gif().toBuffer();

function append(bytes: Buffer, tail: Buffer | string): Buffer {
  return Buffer.concat([bytes, Buffer.from(tail)]);
}

describe('what is accepted', () => {
  test.each([
    ['a.png', png, 'image/png', '.png'],
    ['a.PNG', png, 'image/png', '.png'],
    ['한글 사진 (1).png', png, 'image/png', '.png'],
    ['v1.2.final.png', png, 'image/png', '.png'],
    ['a.jpg', jpeg, 'image/jpeg', '.jpg'],
    ['a.jpeg', jpeg, 'image/jpeg', '.jpg'],
    ['a.jfif', jpeg, 'image/jpeg', '.jpg'],
    ['a.webp', webp, 'image/webp', '.webp'],
    ['a.gif', gif, 'image/gif', '.gif'],
    ['a.bmp', bmp(), 'image/bmp', '.bmp'],
    ['a.wav', wav(), 'audio/wav', '.wav'],
    ['a.mp3', mp3(), 'audio/mpeg', '.mp3'],
    ['a.mp4', mp4(), 'video/mp4', '.mp4'],
    ['a.mov', mp4('qt  '), 'video/quicktime', '.mov'],
    ['a.m4a', mp4('M4A '), 'audio/mp4', '.m4a'],
    ['a.m4a', mp4('mp42'), 'audio/mp4', '.m4a'],
    ['a.webm', ebml('webm'), 'video/webm', '.webm'],
    ['a.flac', flac(), 'audio/flac', '.flac'],
    ['a.ogg', ogg(), 'audio/ogg', '.ogg'],
    ['a.txt', Buffer.from('안녕하세요\n'), 'text/plain', '.txt'],
    ['a.txt', Buffer.from('BMW is a car maker. <script> is a tag. import os'), 'text/plain', '.txt'],
    ['a.txt', Buffer.from('<lora:cat:0.8> a cat, <b>bold</b>, 50%PDF- <!-- note -->'), 'text/plain', '.txt'],
    ['a.txt', Buffer.from('<!-- note --> a cat'), 'text/plain', '.txt'],
  ])('%s', async (name, bytes, contentType, extension) => {
    expect(await check(bytes, name)).toMatchObject({ ok: true, file: { contentType, extension } });
  });

  test('an image tells its size and its frames', async () => {
    expect(await check(png, 'a.png')).toEqual({
      ok: true,
      file: { contentType: 'image/png', extension: '.png', kind: 'image', width: 64, height: 48, frames: 1 },
    });
    expect(await check(await animatedGif(5), 'a.gif')).toMatchObject({
      ok: true,
      file: { width: 8, height: 8, frames: 5 },
    });
    expect(await check(bmp(), 'a.bmp')).toMatchObject({ ok: true, file: { width: 10, height: 7 } });
  });

  test.each([
    ['image/png', 'a.png', png],
    ['application/octet-stream', 'a.png', png],
    ['image/jpg', 'a.jpg', jpeg],
    ['audio/x-wav', 'a.wav', wav()],
    ['audio/webm; codecs=opus', 'a.webm', ebml('webm')],
    ['text/plain; charset=utf-8', 'a.txt', Buffer.from('x')],
  ])('declared as %s', async (declaredType, name, bytes) => {
    expect(await check(bytes, name, { declaredType })).toMatchObject({ ok: true });
  });

  test.each([
    'a photo of an import car, eval(exec), PK, MZ, #!',
    '{"prompt": {"6": {"inputs": {"text": "<script>alert(1)</script> <?php system(1); ?>"}}}}',
    'MZ and PE programs',
    '%PDF-1.7',
  ])('words within a picture: %s', async (words) => {
    const inText = withPngChunks(
      png,
      pngChunk('tEXt', Buffer.from(`prompt\0${words}`)),
      pngChunk('iTXt', Buffer.from(`workflow\0\0\0\0\0${words}`)),
    );
    expect(await check(inText, 'a.png')).toMatchObject({ ok: true });
    const inExif = await picture()
      .withExif({ IFD0: { ImageDescription: words } })
      .jpeg()
      .toBuffer();
    expect(await check(inExif, 'a.jpg')).toMatchObject({ ok: true });
  });

  test('padding and a few stray bytes behind a picture, and the previews that cameras append', async () => {
    expect(await check(append(jpeg, '\0'.repeat(500)), 'a.jpg')).toMatchObject({ ok: true });
    expect(await check(append(jpeg, 'abc'), 'a.jpg')).toMatchObject({ ok: true });
    const preview = await picture(16, 16).jpeg().toBuffer();
    expect(await check(append(jpeg, preview), 'a.jpg')).toMatchObject({ ok: true });
    expect(
      await check(append(jpeg, `\0\0${'shot details '.repeat(9)}SEFH\x01\0\0\0SEFT`), 'a.jpg'),
    ).toMatchObject({ ok: true });
  });

  test('pictures larger than what is held in memory at a time', async () => {
    const noise = Buffer.alloc(700 * 700 * 3);
    let state = 1;
    for (let at = 0; at < noise.length; at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      noise[at] = state >> 16;
    }
    const large = sharp(noise, { raw: { width: 700, height: 700, channels: 3 } });
    expect(await check(await large.clone().png().toBuffer(), 'a.png')).toMatchObject({ ok: true });
    expect(await check(await large.clone().jpeg({ quality: 100 }).toBuffer(), 'a.jpg')).toMatchObject({
      ok: true,
    });
    expect(await check(await large.clone().jpeg({ progressive: true }).toBuffer(), 'a.jpg')).toMatchObject({
      ok: true,
    });
    expect(await check(await large.clone().gif({ effort: 1 }).toBuffer(), 'a.gif')).toMatchObject({
      ok: true,
    });
  });

  test('text whose characters lie across the borders of what is read at a time', async () => {
    for (let shift = 0; shift < 4; shift++) {
      const text = Buffer.from('x'.repeat(shift) + '한😀'.repeat(60_000));
      expect(await check(text, 'a.txt')).toMatchObject({ ok: true });
    }
  });

  test('what only ComfyUI makes, as a result and not as an upload', async () => {
    const limits = { allowed: policy.resultAllowed };
    expect(await check(safetensors(), 'a.latent', { limits })).toMatchObject({
      ok: true,
      file: { kind: 'latent' },
    });
    expect(await check(glb(), 'a.glb', { limits })).toMatchObject({ ok: true, file: { kind: 'file' } });
    expect(await check(Buffer.from('{"a": 1}'), 'a.json', { limits })).toMatchObject({
      ok: true,
      file: { kind: 'text' },
    });
    expect(await check(glb(), 'a.glb')).toMatchObject({ ok: false });
    expect(await check(safetensors(), 'a.latent')).toMatchObject({ ok: false });
  });
});
