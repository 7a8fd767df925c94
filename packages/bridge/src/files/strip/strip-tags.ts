import type { FileWindow } from '../file-window.ts';
import { cut, type Edit } from './edits.ts';
import type { StripPlan } from './strip-plan.ts';

/** Tags one behind the other; nobody writes more. */
const maxTags = 16;

/** How a frame begins: `mask` of the first two bytes, and what they are then. */
interface FrameBeginning {
  mask: number;
  value: number;
}

const layer3: FrameBeginning = { mask: 0xffe6, value: 0xffe2 };
const adts: FrameBeginning = { mask: 0xfff6, value: 0xfff0 };
/** Some programs leave room between the tags and the sound. */
const maxRoom = 64 * 1024;

export const stripMp3 = (window: FileWindow): Promise<StripPlan> => stripTags(window, layer3);
export const stripAac = (window: FileWindow): Promise<StripPlan> => stripTags(window, adts);

/** Frames of sound, with tags (ID3, APE) before and behind them, which go. */
async function stripTags(window: FileWindow, frame: FrameBeginning): Promise<StripPlan> {
  const start = await findFrame(window, await skipId3(window), frame);
  if (start === undefined) return { ok: false, reason: 'there is no sound behind its tags' };
  let end = window.size;
  for (let tag = 0; tag < maxTags; tag++) {
    const length = await measureLastTag(window, end);
    if (length === 0 || end - length <= start) break;
    end -= length;
  }
  const edits: Edit[] = [cut(0, start), cut(end, window.size)];
  return { ok: true, edits };
}

async function findFrame(
  window: FileWindow,
  from: number,
  { mask, value }: FrameBeginning,
): Promise<number | undefined> {
  const bytes = await window.read(from, maxRoom);
  for (let at = bytes.indexOf(0xff); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1))
    if ((bytes.readUInt16BE(at) & mask) === value) return from + at;
  return undefined;
}

/** Where the tags at the beginning end. */
export async function skipId3(window: FileWindow): Promise<number> {
  let start = 0;
  for (let tag = 0; tag < maxTags; tag++) {
    const length = await measureId3(window, start);
    if (length === 0 || start + length >= window.size) break;
    start += length;
  }
  return start;
}

/** `ID3 version(2) flags(1) size(4, seven bits each)`; a footer of ten bytes when the flags say so. 0: there is none. */
async function measureId3(window: FileWindow, at: number): Promise<number> {
  const head = await window.read(at, 10);
  if (head.length < 10 || head.toString('latin1', 0, 3) !== 'ID3') return 0;
  const size = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  return 10 + size + (((head[5] ?? 0) & 0x10) === 0 ? 0 : 10);
}

async function measureLastTag(window: FileWindow, end: number): Promise<number> {
  if (end >= 128 && (await window.read(end - 128, 3)).toString('latin1') === 'TAG') return 128;
  const footer = end < 32 ? undefined : await window.read(end - 32, 32);
  // `APETAGEX version(4) size(4) items(4) flags(4)`; the size counts this footer, and not the header that there may be.
  if (footer?.toString('latin1', 0, 8) !== 'APETAGEX') return 0;
  const hasHeader = (footer.readUInt32LE(20) & 0x8000_0000) !== 0;
  return Math.max(32, footer.readUInt32LE(12)) + (hasHeader ? 32 : 0);
}
