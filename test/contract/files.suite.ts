import sharp from 'sharp';
import { expect, test } from 'vitest';
import { asRecord, type ComfyServer } from './_comfy-server.ts';
import { fresh } from './_graphs.ts';
import { imagesOf, runGraph, viewPath } from './_submit.ts';

async function png(alpha = false): Promise<Buffer> {
  const [r, g, b] = [fresh() % 256, fresh() % 256, fresh() % 256];
  const background = { r, g, b, alpha: alpha ? 0.25 : 1 };
  return sharp({ create: { width: 16, height: 12, channels: alpha ? 4 : 3, background } })
    .png()
    .toBuffer();
}

const newName = (): string => `contract-${crypto.randomUUID()}.png`;

/** Uploading, and looking at files. */
export function files(server: ComfyServer): void {
  test('upload: what was sent can be viewed again, byte by byte', async () => {
    const [name, bytes] = [newName(), await png()];
    expect((await server.upload('/upload/image', { name, bytes })).json).toEqual({
      name,
      subfolder: '',
      type: 'input',
    });
    const viewed = await server.bytes(`/view?filename=${name}&type=input`);
    expect(viewed.body.equals(bytes)).toBe(true);
  });

  test('upload: same name and content is kept once, other content gets a number', async () => {
    const [name, bytes] = [newName(), await png()];
    const names = [];
    for (const content of [bytes, bytes, await png(true), Buffer.from('third')]) {
      names.push((await server.upload('/upload/image', { name, bytes: content })).json?.name);
    }
    expect(names).toEqual([name, name, name.replace('.png', ' (1).png'), name.replace('.png', ' (2).png')]);
  });

  test('upload: overwrite keeps the name', async () => {
    const [name, bytes] = [newName(), await png()];
    await server.upload('/upload/image', { name, bytes: await png(true) });
    const { json } = await server.upload('/upload/image', { name, bytes }, { overwrite: 'true' });
    expect(json?.name).toBe(name);
    expect((await server.bytes(`/view?filename=${name}&type=input`)).body.equals(bytes)).toBe(true);
  });

  test('upload: subfolder and type', async () => {
    const [name, bytes] = [newName(), await png()];
    const { json } = await server.upload(
      '/upload/image',
      { name, bytes },
      { subfolder: 'bridge/deep', type: 'temp' },
    );
    expect(json).toEqual({ name, subfolder: 'bridge/deep', type: 'temp' });
    expect((await server.bytes(`/view?filename=${name}&type=temp&subfolder=bridge/deep`)).status).toBe(200);
    expect((await server.bytes(`/view?filename=${name}&type=temp`)).status).toBe(404);
  });

  test('upload: refused without a file, with a path leading out, with an unknown type', async () => {
    const file = { name: newName(), bytes: await png() };
    expect((await server.upload('/upload/image', undefined, { subfolder: '' })).status).toBe(400);
    expect((await server.upload('/upload/image', file, { subfolder: '../..' })).status).toBe(400);
    expect((await server.upload('/upload/image', file, { type: 'elsewhere' })).status).toBe(500);
  });

  test('upload: a file of any kind is taken', async () => {
    const name = newName().replace('.png', '.txt');
    expect(
      (await server.upload('/upload/image', { name, bytes: Buffer.from('no picture') })).json?.name,
    ).toBe(name);
    expect((await server.bytes(`/view?filename=${name}&type=input`)).headers.get('content-type')).toContain(
      'text/plain',
    );
  });

  test('upload: a new file is offered by LoadImage and can be used at once', async () => {
    using socket = await server.connect();
    const name = newName();
    await server.upload('/upload/image', { name, bytes: await png() }, { subfolder: 'bridge' });
    const top = newName();
    await server.upload('/upload/image', { name: top, bytes: await png() });
    const load = asRecord((await server.get('/object_info/LoadImage')).json?.LoadImage);
    const [choices] = asRecord(asRecord(load.input).required).image as [string[]];
    expect(choices).toContain(top);
    expect(choices).not.toContain(name);
    const { outputs } = await runGraph(server, socket, {
      '1': { class_type: 'LoadImage', inputs: { image: `bridge/${name}` } },
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    expect(imagesOf(outputs['2'])).toHaveLength(1);
  });

  test('LoadImage takes a file of another folder by its suffix', async () => {
    using socket = await server.connect();
    const name = newName();
    await server.upload('/upload/image', { name, bytes: await png() }, { type: 'temp' });
    const { outputs } = await runGraph(server, socket, {
      '1': { class_type: 'LoadImage', inputs: { image: `${name} [temp]` } },
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    const [image] = imagesOf(outputs['2']);
    const { width, height } = await sharp(
      (await server.bytes(viewPath(image ?? { filename: '', subfolder: '', type: '' }))).body,
    ).metadata();
    expect({ width, height }).toEqual({ width: 16, height: 12 });
  });

  test('mask upload: the alpha is put onto the original', async () => {
    const [original, mask] = [newName(), newName()];
    await server.upload('/upload/image', { name: original, bytes: await png() });
    const reference = JSON.stringify({ filename: original, type: 'input' });
    const { json } = await server.upload(
      '/upload/mask',
      { name: mask, bytes: await png(true) },
      { original_ref: reference },
    );
    expect(json).toMatchObject({ name: mask, type: 'input' });
    const stored = (await server.bytes(`/view?filename=${mask}&type=input`)).body;
    const { data, info } = await sharp(stored).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(4);
    expect(data[3]).toBe(64);
  });

  test('view: headers of a plain file', async () => {
    const { status, headers } = await server.bytes('/view?filename=example.png&type=input');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('image/png');
    expect(headers.get('content-disposition')).toBe('filename="example.png"');
    expect(headers.get('accept-ranges')).toBe('bytes');
    expect(headers.get('etag')).toMatch(/^"[\da-f]+-[\da-f]+"$/);
    const again = await server.bytes('/view?filename=example.png&type=input', {
      'if-none-match': headers.get('etag') ?? '',
    });
    expect(again.status).toBe(304);
  });

  test('view: a range, and one that cannot be', async () => {
    const { body } = await server.bytes('/view?filename=example.png&type=input');
    const part = await server.bytes('/view?filename=example.png&type=input', { range: 'bytes=2-5' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 2-5/${body.length}`);
    expect(part.body.equals(body.subarray(2, 6))).toBe(true);
    const tail = await server.bytes('/view?filename=example.png&type=input', { range: 'bytes=-4' });
    expect(tail.body.equals(body.subarray(-4))).toBe(true);
    expect(
      (await server.bytes('/view?filename=example.png&type=input', { range: 'bytes=999999-' })).status,
    ).toBe(416);
  });

  test.each([
    ['/view', 404],
    ['/view?filename=nope.png', 404],
    ['/view?filename=', 400],
    ['/view?filename=../x.png', 400],
    ['/view?filename=/etc/passwd', 400],
    ['/view?filename=example.png&type=elsewhere', 400],
    ['/view?filename=example.png&type=input&subfolder=../..', 403],
  ])('view: %s is a %i', async (path, status) => {
    expect((await server.get(path)).status).toBe(status);
  });

  test('view: the folder may be a suffix of the name', async () => {
    expect((await server.bytes(`/view?filename=${encodeURIComponent('example.png [input]')}`)).status).toBe(
      200,
    );
  });

  test.each([
    ['preview=webp;50', 'webp', 'image/webp'],
    ['preview=jpeg', 'jpeg', 'image/jpeg'],
    ['preview=anything', 'webp', 'image/webp'],
    ['preview=jpeg&channel=a', 'webp', 'image/webp'],
    ['channel=rgb', 'png', 'image/png'],
    ['channel=a', 'png', 'image/png'],
    ['channel=RGB', 'png', 'image/png'],
  ])('view: %s comes as %s', async (query, format, contentType) => {
    const { headers, body } = await server.bytes(`/view?filename=example.png&type=input&${query}`);
    expect(headers.get('content-type')).toBe(contentType);
    expect((await sharp(body).metadata()).format).toBe(format);
  });

  test('view: a preview of something that is no picture is a 500', async () => {
    const name = newName().replace('.png', '.txt');
    await server.upload('/upload/image', { name, bytes: Buffer.from('no picture') });
    expect((await server.get(`/view?filename=${name}&type=input&preview=webp`)).status).toBe(500);
  });
}
