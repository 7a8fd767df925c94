import type { FileWindow } from '../file-window.ts';
import type { Edit } from './edits.ts';
import { keepOnly } from './keep-only.ts';
import { readNumbers, readTiff } from './read-tiff.ts';
import type { Range, Tiff, TiffDirectory, TiffEntry } from './read-tiff.ts';
import type { StripPlan } from './strip-plan.ts';

/**
 * What readers need for the pixels: their form, where they lie, their colours, how they are turned. Everything else tells of the
 * picture or belongs to some program: names, dates, XMP, IPTC, Photoshop's blocks, the directories of EXIF and GPS, previews.
 */
const keptTags = new Set([
  ...[254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284],
  ...[290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 332, 334, 338],
  ...[339, 340, 341, 347, 529, 530, 531, 532, 34675],
]);
/** Lists of where pieces of the picture lie, with the lists of how long they are. */
const pieces = [
  [273, 279],
  [324, 325],
] as const;
const compressionTag = 259;
/** JPEG as TIFF 6.0 had it first: its tables lie anywhere, and nothing says how long they are. */
const oldJpeg = 6;
const jpeg = 7;

/**
 * TIFF: only what the kept tags say and refer to stays, where it lies, since everything is referred to by its place; all other
 * bytes of the file become zeros. Throws nothing away that a page is: those of lower resolution stay.
 */
export async function stripTiff(window: FileWindow): Promise<StripPlan> {
  const tiff = await readTiff(window);
  if (tiff === undefined) return unreadable;
  const kept: Range[] = [{ start: 0, end: 8 }];
  const edits: Edit[] = [];
  for (const directory of tiff.directories) {
    const found = await findPieces(window, tiff, directory);
    if (found === undefined) return unreadable;
    const entries = directory.entries.filter(({ tag, type }) => keptTags.has(tag) && type >= 1 && type <= 13);
    if (entries.some(({ values }) => values.end > window.size)) return unreadable;
    kept.push(directory);
    for (const { values } of entries) kept.push(values);
    // One by one: there may be more than a call takes.
    for (const piece of found.places) kept.push(piece);
    edits.push(rewrite(directory, entries, tiff));
    if (found.isJpeg) for (const place of found.places) edits.push(...(await withoutSegments(window, place)));
  }
  return { ok: true, edits: [...edits, ...keepOnly(kept, window.size)] };
}

const unreadable: StripPlan = {
  ok: false,
  reason: 'the TIFF is damaged, or of a kind that cannot be looked into',
};

/** Where the pixels of a page lie. */
async function findPieces(
  window: FileWindow,
  { isLittle }: Tiff,
  { entries }: TiffDirectory,
): Promise<{ places: Range[]; isJpeg: boolean } | undefined> {
  const find = (wanted: number) => entries.find(({ tag }) => tag === wanted);
  const read = async (entry: TiffEntry | undefined) =>
    entry === undefined ? undefined : await readNumbers(window, entry, isLittle);
  const [compression] = (await read(find(compressionTag))) ?? [];
  if (compression === oldJpeg) return undefined;
  const places: Range[] = [];
  for (const [startTag, lengthTag] of pieces) {
    if (find(startTag) === undefined) continue;
    const starts = await read(find(startTag));
    const lengths = await read(find(lengthTag));
    if (starts === undefined || lengths === undefined || starts.length !== lengths.length) return undefined;
    for (const [index, start] of starts.entries()) {
      const end = Math.min(start + (lengths[index] ?? 0), window.size);
      if (end > start) places.push({ start, end });
    }
  }
  return { places, isJpeg: compression === jpeg };
}

/** The directory with these entries alone, as long as before. */
function rewrite(
  { start, end, next }: TiffDirectory,
  entries: readonly TiffEntry[],
  { isLittle }: Tiff,
): Edit {
  const put = Buffer.alloc(end - start);
  if (isLittle) put.writeUInt16LE(entries.length);
  else put.writeUInt16BE(entries.length);
  for (const [index, { bytes }] of entries.entries()) bytes.copy(put, 2 + index * 12);
  next.copy(put, 2 + entries.length * 12);
  return { start, end, put };
}

/** What a JPEG within says before its first scan, beside what decoders need: APP0 and APP14 say how colours are to be read. */
async function withoutSegments(window: FileWindow, { start, end }: Range): Promise<Edit[]> {
  const edits: Edit[] = [];
  for (let at = start + 2; at + 4 <= end;) {
    const head = await window.read(at, 4);
    const marker = head[1] ?? 0;
    if (head.length < 4 || head[0] !== 0xff || marker === 0xda || marker === 0xd9) break;
    const next = at + 2 + head.readUInt16BE(2);
    const isTelling = (marker >= 0xe1 && marker <= 0xef && marker !== 0xee) || marker === 0xfe;
    if (isTelling) edits.push({ start: at + 4, end: Math.min(next, end), put: 'zeros' });
    at = next;
  }
  return edits;
}
