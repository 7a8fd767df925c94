import type { FileWindow } from '../file-window.ts';

/** A box of an MP4 or QuickTime file. */
export interface Box {
  /** Four letters. */
  type: string;
  start: number;
  /** Where its content begins. */
  content: number;
  /** Not included. */
  end: number;
  depth: number;
}

export type WalkedBoxes = { ok: true; boxes: readonly Box[] } | { ok: false; reason: string };

/** Boxes that hold nothing but boxes. */
const containers = new Set('moov trak edts mdia minf dinf stbl mvex moof traf mfra'.split(' '));
const maxDepth = 8;
const maxBoxes = 200_000;
/** Any printable letters; QuickTime has names with a ©. */
const boxType = /^[ -~\xa9]{4}$/;

const damaged: WalkedBoxes = {
  ok: false,
  reason: 'the file is damaged: its parts do not fit into each other',
};
const tooMany: WalkedBoxes = { ok: false, reason: 'the file has too many parts' };

/**
 * All boxes, each before what it holds: `size(4) type(4)`, a size of 1 followed by 8 bytes of size, 0: to the end. The last one of
 * the file may be cut off; players cope with that.
 */
export async function walkBoxes(window: FileWindow): Promise<WalkedBoxes> {
  const boxes: Box[] = [];
  const open: number[] = [window.size];
  let position = 0;
  for (;;) {
    while (open.length > 1 && position === open.at(-1)) open.pop();
    const limit = open.at(-1) ?? 0;
    const isTop = open.length === 1;
    if (isTop && position >= limit) return { ok: true, boxes };
    // QuickTime ends some lists with four zero bytes.
    if (!isTop && limit - position < 8) {
      position = limit;
      continue;
    }
    const head = await window.read(position, 16);
    if (head.length < 8) return isTop && boxes.length > 0 ? { ok: true, boxes } : damaged;
    const box = readBox(head, position, limit);
    // What follows a whole recording and is no box belongs to nobody.
    if (box === undefined)
      return isTop && boxes.some(({ type }) => type === 'moov') ? { ok: true, boxes } : damaged;
    const end = isTop ? Math.min(box.end, limit) : box.end;
    if (end > limit) return damaged;
    if (boxes.length >= maxBoxes) return tooMany;
    boxes.push({ ...box, end, depth: open.length - 1 });
    if (!containers.has(box.type)) {
      position = end;
    } else if (open.length > maxDepth || box.end > limit) {
      return damaged;
    } else {
      open.push(end);
      position = box.content;
    }
  }
}

function readBox(head: Buffer, start: number, limit: number): Omit<Box, 'depth'> | undefined {
  const short = head.readUInt32BE(0);
  const type = head.toString('latin1', 4, 8);
  if (!boxType.test(type)) return undefined;
  if (short === 0) return { type, start, content: start + 8, end: limit };
  if (short !== 1) return short < 8 ? undefined : { type, start, content: start + 8, end: start + short };
  if (head.length < 16) return undefined;
  const size = Number(head.readBigUInt64BE(8));
  return size < 16 ? undefined : { type, start, content: start + 16, end: start + size };
}
