import type { FileWindow } from './file-window.ts';
import type { WalkedImage } from './walk-png.ts';

export interface BmpSize {
  width: number;
  height: number;
}

/**
 * BMP, uncompressed: nothing here decodes it, and nothing needs to, since its size follows from its header to the byte.
 * Compressed ones are rare and refused.
 */
export async function walkBmp(
  window: FileWindow,
): Promise<(WalkedImage & { ok: true; dimensions: BmpSize }) | (WalkedImage & { ok: false })> {
  const head = await window.read(0, 54);
  if (head.length < 54 || head.toString('latin1', 0, 2) !== 'BM' || head.readUInt32LE(14) < 40) {
    return { ok: false, reason: 'it is not a BMP image that can be checked' };
  }
  const pixelsAt = head.readUInt32LE(10);
  const width = head.readInt32LE(18);
  const height = Math.abs(head.readInt32LE(22));
  const bits = head.readUInt16LE(28);
  const compression = head.readUInt32LE(30);
  if (
    ![1, 4, 8, 16, 24, 32].includes(bits) ||
    (compression !== 0 && compression !== 3) ||
    width < 1 ||
    height < 1
  ) {
    return { ok: false, reason: 'it is a kind of BMP that cannot be checked; save it as PNG' };
  }
  // Header, colour masks and a palette lie before the pixels; more room than they need could hide something.
  const end = pixelsAt + Math.ceil((width * bits) / 32) * 4 * height;
  const room = 14 + head.readUInt32LE(14) + 16 + 256 * 4;
  if (pixelsAt < 54 || pixelsAt > room || end > window.size) {
    return { ok: false, reason: 'the image is cut off or damaged' };
  }
  return { ok: true, end, frames: 1, dimensions: { width, height } };
}
