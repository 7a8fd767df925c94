import type { FileWindow } from '../file-window.ts';
import { cut, type Edit } from './edits.ts';
import type { StripPlan } from './strip-plan.ts';
import { walkElements, type Element } from './walk-elements.ts';

const segment = 0x18538067;
const info = 0x1549a966;
const tracks = 0x1654ae6b;
const track = 0xae;
const empty = 0xec;
const entered = new Set([segment, info, tracks, track]);

/** What goes, by what it lies in. Checksums (0xbf) are not needed, and would be wrong where something else goes. */
const telling: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  // Tags, attachments, chapters.
  [segment, new Set([empty, 0xbf, 0x1254c367, 0x1941a469, 0x1043a770])],
  // Title, date, names of this file and of others.
  [info, new Set([empty, 0xbf, 0x7ba9, 0x4461, 0x7384, 0x3c83ab, 0x3e83bb])],
  [tracks, new Set([empty, 0xbf])],
  // Its name.
  [track, new Set([empty, 0xbf, 0x536e])],
]);

/**
 * WebM and Matroska: tags, attachments, chapters, titles, date and file names are overwritten where they lie, as empty room. No
 * byte moves, since the index says where the pictures are.
 */
export async function stripEbml(window: FileWindow): Promise<StripPlan> {
  const walked = await walkElements(window, (id) => entered.has(id));
  if (!walked.ok) return walked;
  const goes = walked.elements.filter(({ id, parent }) => telling.get(parent)?.has(id) === true);
  return { ok: true, edits: [...goes.flatMap(toVoid), cut(walked.end, window.size)] };
}

/** Empty room of the same length: its id is one byte, and the length behind it takes what is left of the head. */
function toVoid({ start, content, end }: Element): Edit[] {
  const length = end - start;
  if (length < 2) return [];
  const headLength = Math.min(content - start, 9, length);
  const width = headLength - 1;
  const left = length - headLength;
  const head = Buffer.alloc(headLength);
  head[0] = empty;
  let rest = left;
  for (let at = width; at >= 1; at--) {
    head[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  head[1] = (head[1] ?? 0) | (0x80 >> (width - 1));
  return [
    { start, end: start + headLength, put: head },
    { start: start + headLength, end, put: 'zeros' },
  ];
}
