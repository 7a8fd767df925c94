import sharp, { type Sharp } from 'sharp';
import type { Picture } from './node-value.ts';
import { contentKey, PictureMemo } from './picture-memo.ts';

const memo = new PictureMemo(96 * 1024 * 1024);
const encoded = new PictureMemo(64 * 1024 * 1024);

/** Decodes an image file as LoadImage does: RGB without the alpha, and a mask that is 1 where alpha is 0. */
export async function decodePicture(
  bytes: Uint8Array,
): Promise<{ picture: Picture; mask: Picture | undefined }> {
  const key = contentKey('file', bytes);
  const image = sharp(bytes).autoOrient();
  const { hasAlpha } = await image.metadata();
  const flat = image.clone().removeAlpha().toColourspace('srgb');
  const picture = await remember(key, () => toPicture(key, flat, 3));
  if (!hasAlpha) return { picture, mask: undefined };
  const maskKey = contentKey('alpha', key);
  const mask = await remember(maskKey, () =>
    toPicture(maskKey, image.clone().extractChannel('alpha').negate().toColourspace('b-w'), 1),
  );
  return { picture, mask };
}

/** Applies one operation to a picture; the name and its parameters are its memo key. */
export async function transform(
  picture: Picture,
  operation: string,
  apply: (image: Sharp) => Sharp,
): Promise<Picture> {
  const key = contentKey(operation, picture.key);
  return remember(key, () => toPicture(key, apply(open(picture)), picture.channels));
}

/** A picture of one colour, `[r, g, b]` or a mask's `[value]`, each 0–255. */
export function solid(width: number, height: number, colour: [number, number, number] | [number]): Picture {
  const channels = colour.length;
  const key = contentKey('solid', width, height, colour.join());
  const known = memo.get(key);
  if (isPicture(known)) return known;
  const data = new Uint8Array(width * height * channels);
  if (colour.some((value) => value !== 0)) {
    if (colour.length === 1) data.fill(colour[0]);
    else for (let at = 0; at < data.length; at += 1) data[at] = colour[at % 3] ?? 0;
  }
  const picture: Picture = { key, width, height, channels, data };
  memo.set(key, picture, data.length);
  return picture;
}

/** A new picture computed byte by byte from others of the same size. */
export function mix(
  operation: string,
  base: Picture,
  others: readonly Picture[],
  byte: (at: number, value: number) => number,
): Picture {
  const key = contentKey(operation, base.key, ...others.map((other) => other.key));
  const known = memo.get(key);
  if (isPicture(known)) return known;
  const data = new Uint8Array(base.data.length);
  for (let at = 0; at < data.length; at += 1)
    data[at] = Math.min(255, Math.max(0, byte(at, base.data[at] ?? 0)));
  const picture: Picture = { ...base, key, data };
  memo.set(key, picture, data.length);
  return picture;
}

/** Draws an SVG document as a picture. */
export function drawSvg(key: string, svg: string): Promise<Picture> {
  return remember(key, () => toPicture(key, sharp(Buffer.from(svg)).removeAlpha().toColourspace('srgb'), 3));
}

export async function toPng(picture: Picture): Promise<Uint8Array> {
  return rememberBytes(`png:${picture.key}`, () => open(picture).png({ compressionLevel: 4 }).toBuffer());
}

/** A preview as ComfyUI sends it while sampling: a JPEG of at most `side` pixels. */
export async function toPreview(picture: Picture, side = 512): Promise<Uint8Array> {
  return rememberBytes(`preview:${side}:${picture.key}`, () =>
    open(picture)
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 70 })
      .toBuffer(),
  );
}

export async function toAnimatedWebp(
  pictures: readonly Picture[],
  { fps, lossless, quality }: { fps: number; lossless: boolean; quality: number },
): Promise<Uint8Array> {
  const frames = await Promise.all(pictures.map((picture) => toPng(picture).then((png) => Buffer.from(png))));
  const delay = frames.map(() => Math.round(1000 / fps));
  const [only] = frames;
  const image = frames.length > 1 ? sharp(frames, { join: { animated: true } }) : sharp(only);
  return image.webp({ lossless, quality: Math.max(1, quality), delay }).toBuffer();
}

export function open({ data, width, height, channels }: Picture): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function toPicture(key: string, image: Sharp, channels: 1 | 3): Promise<Picture> {
  const wanted = channels === 1 ? image.toColourspace('b-w') : image.toColourspace('srgb');
  const { data, info } = await wanted.raw().toBuffer({ resolveWithObject: true });
  // An operation may add or drop a channel on the way (a grey PNG, say); a picture always has the count it says.
  if (info.channels === channels) return { key, width: info.width, height: info.height, channels, data };
  const pixels = new Uint8Array(info.width * info.height * channels);
  for (let at = 0; at < pixels.length; at += 1) {
    const pixel = Math.floor(at / channels);
    pixels[at] = data[pixel * info.channels + Math.min(at % channels, info.channels < 3 ? 0 : 2)] ?? 0;
  }
  return { key, width: info.width, height: info.height, channels, data: pixels };
}

async function remember(key: string, make: () => Promise<Picture>): Promise<Picture> {
  const known = memo.get(key);
  if (isPicture(known)) return known;
  const picture = await make();
  memo.set(key, picture, picture.data.length);
  return picture;
}

async function rememberBytes(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const known = encoded.get(key);
  if (known instanceof Uint8Array) return known;
  const bytes = await make();
  encoded.set(key, bytes, bytes.length);
  return bytes;
}

function isPicture(value: unknown): value is Picture {
  return typeof value === 'object' && value !== null && 'channels' in value;
}
