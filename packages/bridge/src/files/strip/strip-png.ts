import { crc32, inflateSync } from 'node:zlib';

import type { FileWindow } from '../file-window.ts';
import { walkPng } from '../walk-png.ts';
import { cut, type Edit } from './edits.ts';
import {
  readExifOrientation,
  readXmpOrientation,
  writeOrientation,
  type Orientation,
} from './orientation.ts';
import type { StripPlan } from './strip-plan.ts';

/** What the pixels need to look as they should; beside these only chunks that a reader must understand are kept. */
const kept = new Set('tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST cICP mDCV cLLI acTL fcTL fdAT'.split(' '));
/** Signature and `IHDR`, which comes first. */
const afterHeader = 8 + 25;
const maxRead = 64 * 1024;

interface Chunk {
  type: string;
  start: number;
  end: number;
}

/** PNG: words, EXIF, dates and what only some program knows go; colours, animation and pixels stay byte for byte. */
export async function stripPng(window: FileWindow): Promise<StripPlan> {
  const dropped: Chunk[] = [];
  const walked = await walkPng(window, (type, start, end) => {
    // The second letter of the name of a chunk that any reader must understand is not asked: it begins with a capital.
    if (!/^[A-Z]/.test(type) && !kept.has(type)) dropped.push({ type, start, end });
  });
  if (!walked.ok) return walked;
  const exif = writeOrientation(await findOrientation(window, dropped));
  const wanted = exif === undefined ? undefined : toChunk('eXIf', exif);
  const edits: Edit[] = [cut(walked.end, window.size)];
  let isThere = false;
  for (const { start, end } of dropped) {
    if (wanted !== undefined && start === afterHeader && end - start === wanted.length) {
      isThere = (await window.read(start, wanted.length)).equals(wanted);
      if (isThere) continue;
    }
    edits.push(cut(start, end));
  }
  if (wanted !== undefined && !isThere) edits.push({ start: afterHeader, end: afterHeader, put: wanted });
  return { ok: true, edits };
}

/** As readers look for it: in EXIF, in EXIF that a program wrote as text, in XMP. */
async function findOrientation(
  window: FileWindow,
  chunks: readonly Chunk[],
): Promise<Orientation | undefined> {
  let inText: Orientation | undefined;
  let inXmp: Orientation | undefined;
  for (const { type, start, end } of chunks) {
    if (type !== 'eXIf' && type !== 'zTXt' && type !== 'tEXt' && type !== 'iTXt') continue;
    const data = await window.read(start + 8, Math.min(end - start - 12, maxRead));
    if (type === 'eXIf') {
      const orientation = readExifOrientation(data);
      if (orientation !== undefined) return orientation;
    } else if (/^Raw profile type (?:exif|APP1)\0/.test(data.toString('latin1', 0, 24))) {
      inText ??= readRawProfile(type, data);
    } else if (data.toString('latin1', 0, 18) === 'XML:com.adobe.xmp\0') {
      inXmp ??= readXmpOrientation(data);
    }
  }
  return inText ?? inXmp;
}

/** A program's own way: EXIF in hexadecimal behind a line with its length, compressed or not. */
function readRawProfile(type: string, data: Buffer): Orientation | undefined {
  const text = data.subarray(data.indexOf(0) + 1);
  try {
    const profile = type === 'zTXt' ? inflateSync(text.subarray(1), { maxOutputLength: 1024 * 1024 }) : text;
    const hex = profile
      .toString('latin1')
      .replace(/^\s*\w+\s+\d+\s/, '')
      .replaceAll(/\s/g, '');
    return readExifOrientation(Buffer.from(hex.slice(0, 2 * maxRead), 'hex'));
  } catch {
    // Nothing that inflates: it says nothing to anybody else either.
    return undefined;
  }
}

function toChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}
