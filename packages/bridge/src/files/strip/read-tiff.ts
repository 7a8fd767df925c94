import type { FileWindow } from '../file-window.ts';

/** A place in a file, `end` not included. */
export interface Range {
  start: number;
  end: number;
}

export interface TiffEntry {
  tag: number;
  type: number;
  count: number;
  /** The twelve bytes. */
  bytes: Buffer;
  /** Where its values lie, in the entry or elsewhere. */
  values: Range;
}

/** A directory: what is said of one page. */
export interface TiffDirectory extends Range {
  entries: readonly TiffEntry[];
  /** Its last four bytes: where the next one begins. */
  next: Buffer;
}

export interface Tiff {
  isLittle: boolean;
  directories: readonly TiffDirectory[];
}

/** Bytes of one value, by type. */
const sizes: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const maxDirectories = 10_000;
/** Of one list; a longer one is not believed. */
const maxValues = 1_000_000;

/** All directories that follow each other, as TIFF 6.0 has them; undefined where they do not fit into the file, or it is BigTIFF. */
export async function readTiff(window: FileWindow): Promise<Tiff | undefined> {
  const head = Buffer.from(await window.read(0, 8));
  const order = head.toString('latin1', 0, 2);
  if (head.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  const isLittle = order === 'II';
  if (read16(head, 2, isLittle) !== 42) return undefined;
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  for (let at = read32(head, 4, isLittle); at !== 0;) {
    if (seen.has(at) || directories.length >= maxDirectories) return undefined;
    seen.add(at);
    const directory = await readDirectory(window, at, isLittle);
    if (directory === undefined) return undefined;
    directories.push(directory);
    at = read32(directory.next, 0, isLittle);
  }
  return directories.length === 0 ? undefined : { isLittle, directories };
}

async function readDirectory(
  window: FileWindow,
  start: number,
  isLittle: boolean,
): Promise<TiffDirectory | undefined> {
  const head = await window.read(start, 2);
  if (head.length < 2) return undefined;
  const count = read16(head, 0, isLittle);
  const end = start + 2 + count * 12 + 4;
  const bytes = await readAll(window, { start: start + 2, end });
  if (bytes === undefined) return undefined;
  const entries: TiffEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const own = bytes.subarray(index * 12, index * 12 + 12);
    const [tag, type, values] = [
      read16(own, 0, isLittle),
      read16(own, 2, isLittle),
      read32(own, 4, isLittle),
    ];
    const length = (sizes[type] ?? 0) * values;
    const place = length <= 4 ? start + 2 + index * 12 + 8 : read32(own, 8, isLittle);
    entries.push({ tag, type, count: values, bytes: own, values: { start: place, end: place + length } });
  }
  return { start, end, entries, next: bytes.subarray(count * 12) };
}

/** The whole numbers of an entry; undefined where it has none, too many, or they are not in the file. */
export async function readNumbers(
  window: FileWindow,
  { type, count, values }: TiffEntry,
  isLittle: boolean,
): Promise<number[] | undefined> {
  if ((type !== 3 && type !== 4) || count > maxValues) return undefined;
  const bytes = await readAll(window, values);
  if (bytes === undefined) return undefined;
  return Array.from({ length: count }, (_, index) =>
    type === 3 ? read16(bytes, index * 2, isLittle) : read32(bytes, index * 4, isLittle),
  );
}

async function readAll(window: FileWindow, { start, end }: Range): Promise<Buffer | undefined> {
  if (end > window.size || end < start) return undefined;
  const parts: Buffer[] = [];
  for (let at = start; at < end; at += 60_000)
    parts.push(Buffer.from(await window.read(at, Math.min(60_000, end - at))));
  return Buffer.concat(parts);
}

function read16(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

function read32(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}
