import type { FileWindow } from '../file-window.ts';
import type { Edit } from './edits.ts';
import { keepOnly } from './keep-only.ts';
import { readExifOrientation, writeOrientation } from './orientation.ts';
import { readAvifMeta } from './read-avif.ts';
import type { AvifItem, AvifMeta, InnerBox } from './read-avif.ts';
import type { Range } from './read-tiff.ts';
import type { StripPlan } from './strip-plan.ts';
import { walkBoxes } from './walk-boxes.ts';
import type { Box } from './walk-boxes.ts';

/** Pictures and what puts them together; every other item tells of them. */
const pictures = new Set(['av01', 'grid', 'iovl', 'iden', 'tmap']);
/** Of the boxes beside each other in `meta`: which items there are, where, and how they belong together. Any other may hold words. */
const structure = new Set('hdlr dinf pitm iloc iinf iref iprp ipro idat grpl'.split(' '));
/** Of the properties of a picture: descriptions, dates, anybody's own. */
const tellingProperties = new Set(['udes', 'altt', 'crtt', 'mdft', 'uuid', 'free', 'skip']);
const maxMeta = 4 * 1024 * 1024;
const unreadable: StripPlan = {
  ok: false,
  reason: 'the AVIF is damaged, or of a kind that cannot be looked into',
};

/**
 * AVIF: items that are no picture (EXIF, XMP) become empty ones of a type that no reader looks for, and of the data only what
 * pictures refer to stays, where it lies. How it is turned stays, also where EXIF alone says it. An animation, which has tracks
 * beside its picture, cannot be sent.
 */
export async function stripAvif(window: FileWindow): Promise<StripPlan> {
  const walked = await walkBoxes(window);
  if (!walked.ok) return walked;
  const top = walked.boxes.filter(({ depth }) => depth === 0);
  const box = top.find(({ type }) => type === 'meta');
  if (box === undefined || box.end - box.content > maxMeta || top.some(({ type }) => type === 'moov'))
    return unreadable;
  const meta = readAvifMeta(await readBytes(window, box));
  if (meta === undefined) return unreadable;
  // Heads stay: each says where the next one is. What no reader looks for is found to be empty.
  const kept: Range[] = top.map(({ type, start, content, end }) => ({
    start,
    end: type === 'ftyp' || type === 'meta' ? end : content,
  }));
  const edits: Edit[] = top
    .filter(({ type }) => type !== 'ftyp' && type !== 'meta' && type !== 'mdat')
    .map(({ start }) => ({ start: start + 4, end: start + 8, put: freeType }));
  const data = meta.boxes.find(({ type }) => type === 'idat');
  const keptData: Range[] = [];
  for (const item of meta.items) {
    if (item.places === undefined) return unreadable;
    edits.push(shiftBy({ ...item.words, put: 'zeros' as const }, box));
    if (pictures.has(item.type)) {
      const list = item.isInData ? keptData : kept;
      for (const place of item.places) list.push(item.isInData ? moved(place, data?.content ?? 0) : place);
      continue;
    }
    const turn = await readTurn(window, item);
    if (turn === undefined) edits.push(shiftBy({ ...item.typePlace, put: hiddenType }, box));
    else {
      edits.push(turn);
      kept.push(turn);
    }
  }
  const emptied = data === undefined ? [] : keepOnly(keptData, data.end, data.content);
  return {
    ok: true,
    edits: [
      ...edits,
      ...withoutWords(meta, box),
      ...emptied.map((edit) => shiftBy(edit, box)),
      ...keepOnly(kept, window.size),
    ],
  };
}

const freeType = Buffer.from('free');
/** Of an item: none that any reader knows. */
const hiddenType = Buffer.from('skip');

async function readBytes(window: FileWindow, { content, end }: Box): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = content; at < end; at += 60_000)
    parts.push(Buffer.from(await window.read(at, Math.min(60_000, end - at))));
  return Buffer.concat(parts);
}

function moved<T extends Range>(range: T, by: number): T {
  return { ...range, start: range.start + by, end: range.end + by };
}

/** From within the box into the file. */
function shiftBy<T extends Range>(range: T, { content }: Box): T {
  return moved(range, content);
}

/** EXIF that says how the picture is to be turned and nothing else, in the place of the one that says more. */
async function readTurn(
  window: FileWindow,
  { type, isInData, places: [place, ...more] = [] }: AvifItem,
): Promise<Edit | undefined> {
  if (type !== 'Exif' || isInData || place === undefined || more.length > 0) return undefined;
  const exif = await window.read(place.start, Math.min(place.end - place.start, 64 * 1024));
  if (exif.length < 4) return undefined;
  const turn = writeOrientation(readExifOrientation(exif.subarray(4 + exif.readUInt32BE(0))));
  if (turn === undefined || turn.length + 4 > exif.length) return undefined;
  const put = Buffer.concat([Buffer.alloc(4), turn]);
  return { start: place.start, end: place.start + put.length, put };
}

/** Words beside the items. */
function withoutWords({ boxes, properties }: AvifMeta, box: Box): Edit[] {
  const words = [
    ...boxes.filter(({ type }) => !structure.has(type)),
    ...properties.filter(({ type }) => tellingProperties.has(type)),
  ];
  return words.flatMap((word) => toFree(word).map((edit) => shiftBy(edit, box)));
}

function toFree({ start, content, end }: InnerBox): Edit[] {
  return [
    { start: start + 4, end: start + 8, put: freeType },
    { start: content, end, put: 'zeros' },
  ];
}
