import type { FileWindow } from '../file-window.ts';
import { cut, type Edit } from './edits.ts';
import { skipId3 } from './strip-tags.ts';
import type { StripPlan } from './strip-plan.ts';

const streamInfo = 0;
const seekTable = 3;
const maxBlocks = 10_000;

/** FLAC: of the blocks before the sound only what is needed to play it stays; comments and pictures go. */
export async function stripFlac(window: FileWindow): Promise<StripPlan> {
  const start = await skipId3(window);
  if ((await window.read(start, 4)).toString('latin1') !== 'fLaC')
    return { ok: false, reason: 'it is not a FLAC file' };
  const edits: Edit[] = [cut(0, start)];
  let lastKept: { start: number; head: number } | undefined;
  let position = start + 4;
  for (let blocks = 0, isLast = false; !isLast; blocks++) {
    const head = await window.read(position, 4);
    if (head.length < 4 || blocks >= maxBlocks)
      return { ok: false, reason: 'the file is cut off or damaged' };
    const first = head.readUInt8(0);
    const next = position + 4 + head.readUIntBE(1, 3);
    if (next > window.size) return { ok: false, reason: 'the file is cut off or damaged' };
    isLast = (first & 0x80) !== 0;
    const type = first & 0x7f;
    if (type === streamInfo || type === seekTable) lastKept = { start: position, head: first };
    else edits.push(cut(position, next));
    position = next;
  }
  if (lastKept !== undefined && (lastKept.head & 0x80) === 0) {
    const { start, head } = lastKept;
    edits.push({ start, end: start + 1, put: Buffer.from([head | 0x80]) });
  }
  return { ok: true, edits };
}
