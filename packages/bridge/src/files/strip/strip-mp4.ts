import type { FileWindow } from '../file-window.ts';
import { cut, type Edit } from './edits.ts';
import { blankTracks } from './blank-tracks.ts';
import { tablesFit } from './check-tables.ts';
import type { StripPlan } from './strip-plan.ts';
import { walkBoxes, type Box } from './walk-boxes.ts';

/** What tells of a recording rather than being it; `free` and `skip` are nothing, in which anything may lie. */
const telling = new Set('udta meta uuid free skip loci ilst keys pnot PICT emsg'.split(' '));
/** Boxes that begin with when they were made: a version, flags, two times. */
const dated = new Set(['mvhd', 'tkhd', 'mdhd']);
const freeType = Buffer.from('free');

/**
 * MP4, QuickTime and their kin: what tells of the recording (place, date, names, pictures, tags) is overwritten where it lies, as
 * free room, and so are tracks that hold neither picture nor sound. No byte moves, since tables say where the samples are.
 */
export async function stripMp4(window: FileWindow): Promise<StripPlan> {
  const walked = await walkBoxes(window);
  if (!walked.ok) return walked;
  const { boxes } = walked;
  if (!(await tablesFit(window, boxes)))
    return { ok: false, reason: 'the file is damaged: its tables say more than they hold' };
  // What follows the last box is no box.
  const edits: Edit[] = [cut(boxes.findLast(({ depth }) => depth === 0)?.end ?? 0, window.size)];
  for (const box of boxes) {
    if (telling.has(box.type)) edits.push(...toFree(box));
    else if (dated.has(box.type)) edits.push(...(await withoutDates(window, box)));
  }
  return { ok: true, edits: [...edits, ...(await blankTracks(window, boxes))] };
}

/** A `free` box of the same size, empty. */
function toFree({ type, start, content, end }: Box): Edit[] {
  const renamed: Edit[] = type === 'free' ? [] : [{ start: start + 4, end: start + 8, put: freeType }];
  return [...renamed, { start: content, end, put: 'zeros' }];
}

async function withoutDates(window: FileWindow, { content, end }: Box): Promise<Edit[]> {
  const version = (await window.read(content, 1))[0];
  const length = version === 1 ? 16 : 8;
  return content + 4 + length > end
    ? []
    : [{ start: content + 4, end: content + 4 + length, put: 'zeros' as const }];
}
