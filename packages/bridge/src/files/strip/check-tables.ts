import type { FileWindow } from '../file-window.ts';
import type { Box } from './walk-boxes.ts';

/** Bytes of an entry; each table is `version and flags(4) count(4) entries`. */
const entrySizes: Readonly<Record<string, number>> = {
  stts: 8,
  ctts: 8,
  stsc: 12,
  stss: 4,
  stco: 4,
  co64: 8,
};
/** Of one track: eight hours of pictures are two million, of sound in single samples far less than this. */
const maxSamples = 100_000_000;

/**
 * Whether the tables of an MP4 hold as much as they say: parsers believe them, and a few bytes would keep one busy for minutes.
 */
export async function tablesFit(window: FileWindow, boxes: readonly Box[]): Promise<boolean> {
  for (const { type, content, end } of boxes) {
    const entrySize = entrySizes[type];
    if (entrySize === undefined && type !== 'stsz' && type !== 'trun') continue;
    const head = await window.read(content, 12);
    if (head.length < 8 || end - content < 8) return false;
    const room = end - content;
    if (entrySize !== undefined) {
      if (8 + head.readUInt32BE(4) * entrySize > room) return false;
    } else if (type === 'stsz') {
      // `size(4) count(4)`: where all have the same size, there are no entries.
      if (head.length < 12 || room < 12) return false;
      const count = head.readUInt32BE(8);
      if (count > maxSamples || (head.readUInt32BE(4) === 0 && 12 + count * 4 > room)) return false;
    } else {
      const count = head.readUInt32BE(4);
      const fields = [0x100, 0x200, 0x400, 0x800].filter(
        (flag) => (head.readUInt32BE(0) & flag) !== 0,
      ).length;
      if (count > maxSamples || 8 + count * fields * 4 > room) return false;
    }
  }
  return true;
}
