import sharp from 'sharp';
import type { OutputInfo, Sharp } from 'sharp';

import { decodeSeconds, decodeTurns } from './check-image.ts';
import type { ImageLimits } from './check-image.ts';

/** A decoded picture: three bytes a pixel (red, green, blue), row by row. */
export interface PicturePixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A picture by its size and by what is left of it when it is made small. */
export interface PictureSketch {
  /** Of the picture itself. */
  readonly width: number;
  readonly height: number;
  /** `sketchSide` × `sketchSide` pixels. */
  readonly pixels: Uint8Array;
}

export const sketchSide = 32;

type Limits = Pick<ImageLimits, 'maxPixels' | 'maxDimension'>;

/**
 * Decodes a picture of anybody, of an animation the first; transparency is left out. Undefined when it is none, is damaged, or
 * larger than the limits.
 */
export function readPixels(content: Buffer, limits: Limits): Promise<PicturePixels | undefined> {
  return decode(content, limits, async (image) => toPixels(await image.raw().toBuffer(withInfo)));
}

/** As `readPixels`, made small. */
export function sketchPicture(content: Buffer, limits: Limits): Promise<PictureSketch | undefined> {
  return decode(content, limits, async (image, { width, height }) => {
    const small = image.resize(sketchSide, sketchSide, { fit: 'fill', kernel: 'cubic' });
    return { width, height, pixels: toPixels(await small.raw().toBuffer(withInfo)).pixels };
  });
}

/** Without metadata. */
export function encodePng({ width, height, pixels }: PicturePixels): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

const withInfo = { resolveWithObject: true } as const;

async function decode<T>(
  content: Buffer,
  { maxPixels, maxDimension }: Limits,
  read: (image: Sharp, size: { width: number; height: number }) => Promise<T>,
): Promise<T | undefined> {
  try {
    const { width, height } = await sharp(content, { limitInputPixels: false }).metadata();
    if (width > maxDimension || height > maxDimension || width * height > maxPixels) return undefined;
    return await decodeTurns.run(width * height, async () => {
      const image = sharp(content, { sequentialRead: true, failOn: 'error', limitInputPixels: maxPixels });
      image.timeout({ seconds: decodeSeconds });
      return await read(image.removeAlpha().toColourspace('srgb'), { width, height });
    });
  } catch {
    // libvips says in its own words that it cannot read the file.
    return undefined;
  }
}

/** A grey picture may come with one channel. */
function toPixels({ data, info }: { data: Buffer; info: OutputInfo }): PicturePixels {
  const { width, height, channels } = info;
  if (channels === 3) return { width, height, pixels: data };
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < pixels.length; at += 1)
    pixels[at] = data[Math.floor(at / 3) * channels + (channels < 3 ? 0 : at % 3)] ?? 0;
  return { width, height, pixels };
}
