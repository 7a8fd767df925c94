import sharp from 'sharp';
import { checkTail } from './check-tail.ts';
import { createDecodeSlots } from './decode-slots.ts';
import type { FileContent } from './file-content.ts';
import type { FileWindow } from './file-window.ts';
import { walkBmp } from './walk-bmp.ts';
import { walkGif } from './walk-gif.ts';
import { walkJpeg } from './walk-jpeg.ts';
import { walkPng, type WalkedImage } from './walk-png.ts';
import { walkWebp } from './walk-webp.ts';

export interface ImageLimits {
  /** Of one frame. */
  maxPixels: number;
  /** Of either side. */
  maxDimension: number;
  maxFrames: number;
}

export type CheckedImage =
  | { ok: true; width: number; height: number; frames: number }
  | { ok: false; reason: string };

/** An animation may hold this many times the pixels of one frame at its limit: frames are decoded one by one. */
export const animationFactor = 10;
export const decodeSeconds = 60;
/** Up to here all pixels together fit into a megabyte, and shrinking them would cost more than it saves. */
const smallPixels = 512 * 512;

// libvips keeps what it opened for re-use, by path, with the files held open: temporary files must not be.
sharp.cache(false);
// One thread per image: several are decoded side by side already, and the event loop wants a core.
sharp.concurrency(1);

/** Whoever decodes a picture waits for its turn here; weights are pixels of one frame. */
export const decodeTurns = createDecodeSlots({ capacity: 64_000_000, atOnce: 2 });

/**
 * Checks a picture whose magic bytes are known: header first (a small file can claim to be huge), then structure and
 * what lies behind the end, then every pixel by decoding it.
 */
export async function checkImage(
  { content, contentType, window }: { content: FileContent; contentType: string; window: FileWindow },
  limits: ImageLimits,
): Promise<CheckedImage> {
  const header = await readHeader(content, contentType, window);
  if (header === undefined) return { ok: false, reason: 'the image is cut off or damaged' };
  const tooMuch = findExcess(header, limits);
  if (tooMuch !== undefined) return { ok: false, reason: tooMuch };
  const walked = await walk(contentType, window);
  if (!walked.ok) return walked;
  const frames = Math.max(header.frames, walked.frames);
  const tooLong = findExcess({ ...header, frames }, limits);
  if (tooLong !== undefined) return { ok: false, reason: tooLong };
  const tail = await checkTail(window, walked.end);
  if (tail !== undefined) return { ok: false, reason: tail };
  if (contentType !== 'image/bmp') {
    const { width, height } = header;
    const fault = await decodeTurns.run(width * height, () =>
      decode(content, width * height * header.frames),
    );
    if (fault !== undefined) return { ok: false, reason: fault };
  }
  return { ok: true, width: header.width, height: header.height, frames };
}

async function walk(contentType: string, window: FileWindow): Promise<WalkedImage> {
  switch (contentType) {
    case 'image/png':
      return await walkPng(window);
    case 'image/jpeg':
      return await walkJpeg(window);
    case 'image/gif':
      return await walkGif(window);
    case 'image/webp':
      return await walkWebp(window);
    case 'image/bmp':
      return await walkBmp(window);
    default:
      // TIFF and AVIF address their parts from anywhere in the file: there is no end to speak of.
      return { ok: true, end: window.size, frames: 1 };
  }
}

interface Header {
  width: number;
  height: number;
  frames: number;
}

function readHeader(
  content: FileContent,
  contentType: string,
  window: FileWindow,
): Promise<Header | undefined> {
  if (contentType === 'image/bmp') return readBmpHeader(window);
  return contentType === 'image/png' ? readPngHeader(window) : readHeaderByLibvips(content);
}

/** The most common format by far, and libvips takes longer to open it than to decode a small one. */
async function readPngHeader(window: FileWindow): Promise<Header | undefined> {
  const head = await window.read(0, 24);
  if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  const width = head.readUInt32BE(16);
  const height = head.readUInt32BE(20);
  return width === 0 || height === 0 ? undefined : { width, height, frames: 1 };
}

async function readHeaderByLibvips(content: FileContent): Promise<Header | undefined> {
  try {
    const { width, height, pages = 1 } = await sharp(content, { limitInputPixels: false }).metadata();
    return { width, height, frames: pages };
  } catch {
    // libvips says in its own words that it cannot read the file; they may hold the path.
    return undefined;
  }
}

async function readBmpHeader(window: FileWindow): Promise<Header | undefined> {
  const bmp = await walkBmp(window);
  return bmp.ok ? { ...bmp.dimensions, frames: bmp.frames } : undefined;
}

function findExcess({ width, height, frames }: Header, limits: ImageLimits): string | undefined {
  if (width > limits.maxDimension || height > limits.maxDimension) {
    return `the image is ${width}×${height} pixels; a side may be at most ${limits.maxDimension}`;
  }
  if (width * height > limits.maxPixels) {
    return `the image is ${width}×${height} pixels; at most ${limits.maxPixels} in all are allowed`;
  }
  if (frames > limits.maxFrames)
    return `the image holds ${frames} frames; at most ${limits.maxFrames} are allowed`;
  if (width * height * frames > limits.maxPixels * animationFactor) {
    return `the animation holds ${frames} frames of ${width}×${height} pixels, which is too much`;
  }
  return undefined;
}

/** Decodes all frames. Why it failed, or undefined. */
async function decode(content: FileContent, pixels: number): Promise<string | undefined> {
  try {
    const image = sharp(content, {
      pages: -1,
      sequentialRead: true,
      failOn: 'error',
      limitInputPixels: pixels,
    });
    image.timeout({ seconds: decodeSeconds });
    // Down to one pixel, row by row, so that memory stays small. Shrinking while loading would skip most of the coded data.
    if (pixels > smallPixels) image.resize(1, 1, { fit: 'fill', fastShrinkOnLoad: false });
    await image.raw().toBuffer();
    return undefined;
  } catch {
    return 'the image cannot be decoded: it is cut off, damaged or too complex';
  }
}
