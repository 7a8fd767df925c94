import type { FileWindow } from './file-window.ts';
import { identifyBinaryPayload } from './find-payload.ts';
import type { VisitPart, WalkedImage } from './walk-png.ts';

const damaged: WalkedImage = { ok: false, reason: 'the image is cut off or damaged' };

/**
 * JPEG: segments of `FF marker length(2) data`; after `SOS` come coded data in which FF is followed by 00 or a restart
 * marker, up to the next segment. Cameras append further JPEGs (previews, gain maps): all of them count as the image.
 */
export async function walkJpeg(window: FileWindow): Promise<WalkedImage> {
  let walked = await walkOneJpeg(window, 0);
  for (let images = 1; walked.ok && images < 16; images++) {
    const next = await window.read(walked.end, 3);
    if (next.length < 3 || next.readUIntBE(0, 3) !== 0xff_d8_ff) break;
    const another = await walkOneJpeg(window, walked.end);
    if (!another.ok) break;
    walked = another;
  }
  return walked;
}

/** One JPEG of those that a file may hold. Visits its segments by their markers; coded data belong to the segment before them. */
export async function walkOneJpeg(
  window: FileWindow,
  start: number,
  visit: VisitPart<number> = () => {},
): Promise<WalkedImage> {
  if ((await window.read(start, 2)).toString('hex') !== 'ffd8')
    return { ok: false, reason: 'it is not a JPEG image' };
  let position = start + 2;
  while (position + 2 <= window.size) {
    const head = await window.read(position, 4);
    const marker = head.readUInt8(1);
    if (head.readUInt8(0) !== 0xff) return damaged;
    if (marker === 0xd9) return { ok: true, end: position + 2, frames: 1 };
    if (marker === 0xff) {
      position += 1; // fill byte
    } else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      position += 2; // markers without data
    } else {
      if (head.length < 4) return damaged;
      const length = head.readUInt16BE(2);
      if (length < 2) return damaged;
      if ((marker >= 0xe0 && marker <= 0xef) || marker === 0xfe) {
        const payload = identifyBinaryPayload(await window.read(position + 4, Math.min(length - 2, 1024)));
        if (payload !== undefined) return { ok: false, reason: `${payload} is hidden in the image` };
      }
      const segment = position;
      position += 2 + length;
      if (marker === 0xda) position = await skipCodedData(window, position);
      visit(marker, segment, position);
    }
  }
  return damaged;
}

/** The position of the marker that ends the coded data, or the end of the file. */
async function skipCodedData(window: FileWindow, start: number): Promise<number> {
  let position = start;
  while (position < window.size) {
    const bytes = await window.readSome(position);
    let at = bytes.indexOf(0xff);
    while (at >= 0 && at + 1 < bytes.length) {
      const next = bytes[at + 1] ?? 0;
      if (next !== 0 && (next < 0xd0 || next > 0xd7)) return position + at;
      at = bytes.indexOf(0xff, at + 2);
    }
    if (at < 0) position += bytes.length;
    else if (position + at + 1 >= window.size) return window.size;
    else position += at; // FF is the last byte buffered: look again with what follows
  }
  return position;
}
