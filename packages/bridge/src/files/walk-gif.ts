import type { FileWindow } from './file-window.ts';
import type { VisitPart, WalkedImage } from './walk-png.ts';

const damaged: WalkedImage = { ok: false, reason: 'the image is cut off or damaged' };

/** GIF: header, screen descriptor, then blocks: `2C` a frame, `21` an extension, `3B` the end. */
export async function walkGif(
  window: FileWindow,
  visit: VisitPart<'frame' | 'extension'> = () => {},
): Promise<WalkedImage> {
  const head = await window.read(0, 13);
  if (head.length < 13 || !/^GIF8[79]a$/.test(head.toString('latin1', 0, 6))) {
    return { ok: false, reason: 'it is not a GIF image' };
  }
  let position = 13 + colorTableSize(head.readUInt8(10));
  let frames = 0;
  while (position < window.size) {
    const block = (await window.read(position, 1)).readUInt8(0);
    if (block === 0x3b) return frames === 0 ? damaged : { ok: true, end: position + 1, frames };
    const start = position;
    if (block === 0x21) {
      position = await skipSubBlocks(window, position + 2);
      visit('extension', start, Math.min(position, window.size));
    } else if (block === 0x2c) {
      const descriptor = await window.read(position, 10);
      if (descriptor.length < 10) return damaged;
      frames += 1;
      // Behind the descriptor: its color table, one byte of code size, the coded frame.
      position = await skipSubBlocks(window, position + 10 + colorTableSize(descriptor.readUInt8(9)) + 1);
      visit('frame', start, Math.min(position, window.size));
    } else {
      return damaged;
    }
  }
  return damaged;
}

function colorTableSize(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

async function skipSubBlocks(window: FileWindow, start: number): Promise<number> {
  let position = start;
  while (position < window.size) {
    const bytes = await window.readSome(position);
    let at = 0;
    while (at < bytes.length) {
      const length = bytes[at] ?? 0;
      if (length === 0) return position + at + 1;
      at += 1 + length;
    }
    position += at;
  }
  return position;
}
