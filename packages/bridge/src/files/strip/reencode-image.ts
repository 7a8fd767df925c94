import { Readable } from 'node:stream';

import sharp from 'sharp';
import type { Sharp } from 'sharp';

import { animationFactor, decodeSeconds, decodeTurns } from '../check-image.ts';
import type { KeptFile, Stripped } from './open-stripped.ts';

/** As little as possible is lost where a format loses something. */
const formats: Readonly<Record<string, (image: Sharp) => Sharp>> = {
  'image/png': (image) => image.png(),
  'image/jpeg': (image) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
  'image/webp': (image) => image.webp({ lossless: true }),
  'image/gif': (image) => image.gif(),
  'image/tiff': (image) => image.tiff({ compression: 'deflate' }),
  'image/avif': (image) => image.avif({ quality: 90 }),
};

export function canReencode(contentType: string): boolean {
  return contentType in formats;
}

/**
 * A picture of the same format with the same pixels, times and colour profile, in which no byte of the kept file is left. It is turned
 * as its EXIF says. Both files are in memory whole until the new one was sent.
 */
export async function reencodeImage(
  { contentType, open }: KeptFile,
  { maxPixels }: { maxPixels: number },
): Promise<Stripped> {
  const write = formats[contentType];
  if (write === undefined) return { ok: false, reason: 'it is no picture that can be coded anew' };
  const limits = { limitInputPixels: maxPixels * animationFactor, failOn: 'error' } as const;
  try {
    const kept = Buffer.concat(await (await open()).toArray());
    const { width, height, pages = 1 } = await sharp(kept, limits).metadata();
    const bytes = await decodeTurns.run(width * height, async () => {
      const image = sharp(kept, { ...limits, pages: -1, sequentialRead: true });
      // The frames of an animation cannot be turned, and nobody asks for it.
      const upright = pages === 1 ? image.autoOrient() : image;
      return await write(upright.keepIccProfile()).timeout({ seconds: decodeSeconds }).toBuffer();
    });
    return { ok: true, file: { size: bytes.length, open: async () => Readable.from([bytes]) } };
  } catch {
    // libvips' own words may hold more than others should read.
    return { ok: false, reason: 'the image cannot be decoded: it is cut off, damaged or too complex' };
  }
}
