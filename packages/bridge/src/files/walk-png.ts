import type { FileWindow } from './file-window.ts';
import { identifyBinaryPayload } from './find-payload.ts';

/** What walking a picture's structure gives: where it ends and how many frames it holds, or why it is refused. */
export type WalkedImage = { ok: true; end: number; frames: number } | { ok: false; reason: string };

/** Told of each part of a picture as it is walked over: what it is, and where it lies (`end` not included). */
export type VisitPart<T> = (part: T, start: number, end: number) => void;

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Words live in these; they are never a reason to refuse. */
const textChunks = new Set(['tEXt', 'zTXt', 'iTXt', 'eXIf']);

/** PNG: signature, then chunks of `length(4) type(4) data crc(4)` up to `IEND`. An APNG tells its frames in `acTL`. */
export async function walkPng(window: FileWindow, visit: VisitPart<string> = () => {}): Promise<WalkedImage> {
  if (!(await window.read(0, 8)).equals(signature)) return { ok: false, reason: 'it is not a PNG image' };
  let position = 8;
  let frames = 1;
  while (position + 12 <= window.size) {
    const head = await window.read(position, 8);
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    const next = position + 12 + length;
    if (next > window.size) break;
    if (type === 'IEND') {
      visit(type, position, next);
      return { ok: true, end: next, frames };
    }
    if (type === 'acTL' && length >= 8) frames = (await window.read(position + 8, 4)).readUInt32BE(0);
    if (!/^[A-Za-z]{4}$/.test(type)) break;
    if (type !== 'IDAT' && type !== 'fdAT' && !textChunks.has(type)) {
      const payload = identifyBinaryPayload(await window.read(position + 8, Math.min(length, 1024)));
      if (payload !== undefined) return { ok: false, reason: `${payload} is hidden in the image` };
    }
    visit(type, position, next);
    position = next;
  }
  return { ok: false, reason: 'the image is cut off or damaged' };
}
