import type { FileWindow } from '../file-window.ts';
import type { Edit } from './edits.ts';
import type { Box } from './walk-boxes.ts';

/** What a track's handler says that it holds: picture, sound, transparency, time code. Others hold places, faces, sensors, words. */
const keptHandlers = new Set(['vide', 'soun', 'auxv', 'pict', 'tmcd', 'hint']);
/** Of one table; a table that is longer is not believed. */
const maxEntries = 2_000_000;

/**
 * Overwrites tracks that hold neither picture nor sound, and their samples: phones, drones and cameras write where they are into
 * one, many times a second. Pieces of live recordings (`moof`) are left: what would refer to them could not be read any more.
 */
export async function blankTracks(window: FileWindow, boxes: readonly Box[]): Promise<Edit[]> {
  if (boxes.some(({ type }) => type === 'moof')) return [];
  const data = boxes.filter(({ type, depth }) => type === 'mdat' && depth === 0);
  const edits: Edit[] = [];
  for (const track of boxes.filter(({ type }) => type === 'trak')) {
    const inner = boxes.filter(({ start, end }) => start > track.start && end <= track.end);
    if (inner.some(({ type }) => type === 'vmhd' || type === 'smhd')) continue;
    if (!(await isTelling(window, inner, track.depth))) continue;
    edits.push({ start: track.start + 4, end: track.start + 8, put: Buffer.from('free') });
    edits.push({ start: track.content, end: track.end, put: 'zeros' });
    for (const { start, end } of await locateSamples(window, inner)) {
      const within = data.find((box) => start >= box.content && end <= box.end);
      if (within !== undefined && end > start) edits.push({ start, end, put: 'zeros' });
    }
  }
  return edits;
}

async function isTelling(window: FileWindow, inner: readonly Box[], depth: number): Promise<boolean> {
  // Directly in its `mdia`; QuickTime has another one further within.
  const handler = inner.find((box) => box.type === 'hdlr' && box.depth === depth + 2);
  if (handler === undefined || handler.end - handler.content < 12) return false;
  const name = (await window.read(handler.content + 8, 4)).toString('latin1');
  return !keptHandlers.has(name);
}

/** Where the chunks of a track lie: from their places, how many samples each has, and how large those are. */
async function locateSamples(
  window: FileWindow,
  inner: readonly Box[],
): Promise<{ start: number; end: number }[]> {
  const table = (wanted: string) => inner.find(({ type }) => type === wanted);
  const places = await readTable(window, table('stco') ?? table('co64'), table('stco') ? 4 : 8);
  const perChunk = await readTable(window, table('stsc'), 12);
  const sizeBox = table('stsz');
  if (places === undefined || perChunk === undefined || sizeBox === undefined) return [];
  const head = await window.read(sizeBox.content, 12);
  if (head.length < 12) return [];
  const everySize = head.readUInt32BE(4);
  const sizes =
    everySize === 0 ? await readTable(window, { ...sizeBox, content: sizeBox.content + 4 }, 4) : undefined;
  if (everySize === 0 && sizes === undefined) return [];

  const samples: { start: number; end: number }[] = [];
  let sample = 0;
  let run = 0;
  for (let chunk = 0; chunk < places.count; chunk++) {
    while (run + 1 < perChunk.count && perChunk.read(run + 1, 0) <= chunk + 1) run += 1;
    const count = perChunk.count === 0 ? 0 : perChunk.read(run, 4);
    let length = 0;
    if (sizes === undefined) length = count * everySize;
    else
      for (const last = Math.min(sample + count, sizes.count); sample < last; sample++)
        length += sizes.read(sample, 0);
    const start = places.readPlace(chunk);
    samples.push({ start, end: start + length });
  }
  return samples;
}

interface Table {
  count: number;
  read(entry: number, at: number): number;
  readPlace(entry: number): number;
}

/** `version and flags(4) count(4) entries`. A table that says more than it has is cut to what it has. */
async function readTable(
  window: FileWindow,
  box: Box | undefined,
  width: number,
): Promise<Table | undefined> {
  if (box === undefined) return undefined;
  const head = await window.read(box.content, 8);
  if (head.length < 8) return undefined;
  const room = Math.max(0, Math.floor((box.end - box.content - 8) / width));
  const count = Math.min(head.readUInt32BE(4), room);
  if (count > maxEntries) return undefined;
  const parts: Buffer[] = [];
  for (let at = 0; at < count * width; at += 60_000)
    parts.push(Buffer.from(await window.read(box.content + 8 + at, Math.min(60_000, count * width - at))));
  const bytes = Buffer.concat(parts);
  if (bytes.length < count * width) return undefined;
  return {
    count,
    read: (entry, at) => bytes.readUInt32BE(entry * width + at),
    readPlace: (entry) =>
      width === 8 ? Number(bytes.readBigUInt64BE(entry * 8)) : bytes.readUInt32BE(entry * width),
  };
}
