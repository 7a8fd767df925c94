import type { FileWindow } from './file-window.ts';
import type { WalkedImage } from './walk-png.ts';

/** RIFF (WebP, WAV): `RIFF size(4, little endian) form`; the size counts from the form on, padded to even. */
export async function walkRiff(window: FileWindow, form: 'WEBP' | 'WAVE'): Promise<WalkedImage> {
  const head = await window.read(0, 12);
  if (
    head.length < 12 ||
    head.toString('latin1', 0, 4) !== 'RIFF' ||
    head.toString('latin1', 8, 12) !== form
  ) {
    return { ok: false, reason: `it is not a ${form} file` };
  }
  const size = head.readUInt32LE(4);
  const end = 8 + size + (size % 2);
  // Who streams a WAV cannot know its size beforehand and writes 0 or the largest number.
  if (form === 'WAVE' && (size === 0 || size >= 0xffff_ff00))
    return { ok: true, end: window.size, frames: 1 };
  if (8 + size > window.size) return { ok: false, reason: 'the file is cut off or damaged' };
  return { ok: true, end: Math.min(end, window.size), frames: 1 };
}
