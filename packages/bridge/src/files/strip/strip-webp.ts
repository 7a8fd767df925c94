import type { FileWindow } from '../file-window.ts';
import { walkChunks, walkWebp } from '../walk-webp.ts';
import { cut, editedSize, sortEdits, type Edit } from './edits.ts';
import {
  readExifOrientation,
  readXmpOrientation,
  writeOrientation,
  type Orientation,
} from './orientation.ts';
import type { StripPlan } from './strip-plan.ts';

const kept = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const keptInFrame = new Set(['VP8 ', 'VP8L', 'ALPH']);
/** In the flags of `VP8X`. */
const hasExif = 0x08;
const hasXmp = 0x04;
const maxRead = 64 * 1024;

interface Chunk {
  name: string;
  start: number;
  end: number;
}

/** WebP: everything but pixels, animation and colour profile goes; of EXIF the orientation stays. */
export async function stripWebp(window: FileWindow): Promise<StripPlan> {
  const chunks: Chunk[] = [];
  const walked = await walkWebp(window, (name, start, end) => chunks.push({ name, start, end }));
  if (!walked.ok) return walked;
  const dropped = chunks.filter(({ name }) => !kept.has(name));
  const header = chunks.find(({ name }) => name === 'VP8X');
  const flags = header === undefined ? 0 : ((await window.read(header.start + 8, 1))[0] ?? 0);
  const orientation = await findOrientation(window, dropped, flags);
  const wanted = toChunk(writeOrientation(orientation));
  const edits: Edit[] = [cut(walked.end, window.size)];
  let isThere = false;
  for (const { start, end } of dropped) {
    if (wanted !== undefined && !isThere && end === walked.end && end - start === wanted.length) {
      isThere = (await window.read(start, wanted.length)).equals(wanted);
      if (isThere) continue;
    }
    edits.push(cut(start, end));
  }
  if (wanted !== undefined && !isThere) {
    // The padding of the last chunk may be missing.
    const isOdd = walked.end % 2 === 1 && kept.has(chunks.at(-1)?.name ?? '');
    const put = isOdd ? Buffer.concat([Buffer.alloc(1), wanted]) : wanted;
    edits.push({ start: walked.end, end: walked.end, put });
  }
  for (const chunk of chunks) if (chunk.name === 'ANMF') edits.push(...(await stripFrame(window, chunk)));
  const said = (flags & ~(hasExif | hasXmp)) | (wanted === undefined ? 0 : hasExif);
  if (header !== undefined && said !== flags)
    edits.push({ start: header.start + 8, end: header.start + 9, put: Buffer.from([said]) });
  return { ok: true, edits: await withSize(window, edits) };
}

/** The size in the header counts what lies behind it. */
async function withSize(window: FileWindow, edits: readonly Edit[]): Promise<Edit[]> {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(editedSize(window.size, sortEdits(edits)) - 8);
  const isRight = (await window.read(4, 4)).equals(size);
  return isRight ? [...edits] : [...edits, { start: 4, end: 8, put: size }];
}

/** A frame is a chunk of 16 bytes of its own and the chunks of its picture. */
async function stripFrame(window: FileWindow, { start, end }: Chunk): Promise<Edit[]> {
  const length = (await window.read(start + 4, 4)).readUInt32LE(0);
  const edits: Edit[] = [];
  let hasPicture = false;
  const inside = { start: start + 24, end: start + 8 + length };
  const fits = await walkChunks(window, inside, (name, from, to) => {
    if (!keptInFrame.has(name)) edits.push(cut(from, Math.min(to, end)));
    else if (name !== 'ALPH') hasPicture = true;
  });
  // A frame that is no frame is passed over by readers, as long as it stays what it is.
  if (!fits || !hasPicture || edits.length === 0) return [];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(editedSize(length, edits));
  return [{ start: start + 4, end: start + 8, put: size }, ...edits];
}

/** Readers look only where the flags say that there is something. */
async function findOrientation(
  window: FileWindow,
  chunks: readonly Chunk[],
  flags: number,
): Promise<Orientation | undefined> {
  const first = async (wanted: string, flag: number): Promise<Buffer | undefined> => {
    const chunk = (flags & flag) === 0 ? undefined : chunks.find(({ name }) => name === wanted);
    return chunk && (await window.read(chunk.start + 8, Math.min(chunk.end - chunk.start - 8, maxRead)));
  };
  const exif = await first('EXIF', hasExif);
  const inExif = exif && readExifOrientation(exif);
  if (inExif !== undefined) return inExif;
  const xmp = await first('XMP ', hasXmp);
  return xmp && readXmpOrientation(xmp);
}

function toChunk(exif: Buffer | undefined): Buffer | undefined {
  if (exif === undefined) return undefined;
  const head = Buffer.from('EXIF\0\0\0\0', 'latin1');
  head.writeUInt32LE(exif.length, 4);
  return Buffer.concat([head, exif]);
}
