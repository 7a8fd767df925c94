import type { Range } from './read-tiff.ts';

/** An item of an AVIF: a picture, a part of one, or words about it. */
export interface AvifItem {
  id: number;
  /** Four letters. */
  type: string;
  typePlace: Range;
  /** What stands behind the type: its name, and more of some types. */
  words: Range;
  /** Of its content, in the file or (`idat`) in the box of that name; undefined where nobody can tell. */
  places: readonly Range[] | undefined;
  isInData: boolean;
}

export interface InnerBox extends Range {
  type: string;
  /** Where its content begins. */
  content: number;
}

export interface AvifMeta {
  boxes: readonly InnerBox[];
  /** What is said of the pictures, in boxes of their own. */
  properties: readonly InnerBox[];
  items: readonly AvifItem[];
}

const maxItems = 10_000;

/**
 * The `meta` box of a picture (ISO/IEC 14496-12), by places within `meta`, which begins behind its flags. Undefined where its
 * parts do not fit into each other.
 */
export function readAvifMeta(meta: Buffer): AvifMeta | undefined {
  try {
    const boxes = listBoxes(meta, { start: 4, end: meta.length });
    const find = (wanted: string) => boxes.find(({ type }) => type === wanted);
    const [information, locations] = [find('iinf'), find('iloc')];
    if (information === undefined || locations === undefined) return undefined;
    const places = readLocations(meta, locations);
    const version = meta.readUInt8(information.content);
    const first = information.content + (version === 0 ? 6 : 8);
    const items = listBoxes(meta, { start: first, end: information.end }).map((entry) => {
      const { id, typeAt } = readEntry(meta, entry);
      const found = places.get(id);
      return {
        id,
        typePlace: { start: typeAt, end: typeAt + 4 },
        type: meta.toString('latin1', typeAt, typeAt + 4),
        words: { start: typeAt + 4, end: entry.end },
        places: found?.places,
        isInData: found?.isInData ?? false,
      };
    });
    const within = (list: readonly InnerBox[], wanted: string) =>
      list
        .filter(({ type }) => type === wanted)
        .flatMap(({ content, end }) => listBoxes(meta, { start: content, end }));
    return { boxes, items, properties: within(within(boxes, 'iprp'), 'ipco') };
  } catch (error) {
    // Read beyond its end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Boxes that lie one behind the other. Throws `RangeError` where one is longer than what it lies in. */
function listBoxes(bytes: Buffer, { start, end }: Range): InnerBox[] {
  const boxes: InnerBox[] = [];
  for (let at = start; at + 8 <= end;) {
    const short = bytes.readUInt32BE(at);
    const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short;
    const content = at + (short === 1 ? 16 : 8);
    if (at + size > end || at + size < content || boxes.length >= maxItems)
      throw new RangeError('a box is longer than what it lies in');
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at, content, end: at + size });
    at += size;
  }
  return boxes;
}

/** `version(1) flags(3) id(2, or 4 from version 3 on) protection(2) type(4)`; before version 2 there was no type. */
function readEntry(meta: Buffer, { type, content }: InnerBox): { id: number; typeAt: number } {
  const version = meta.readUInt8(content);
  if (type !== 'infe' || version < 2) throw new RangeError('an item is described as in early drafts');
  const id = version === 2 ? meta.readUInt16BE(content + 4) : meta.readUInt32BE(content + 4);
  return { id, typeAt: content + (version === 2 ? 8 : 10) };
}

function readLocations(meta: Buffer, { content }: InnerBox) {
  const version = meta.readUInt8(content);
  if (version > 2) throw new RangeError('a list of places of a later version');
  const sizes = meta.readUInt16BE(content + 4);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  let at = content + 6;
  const read = (size: number): number => {
    at += size;
    if (size === 0) return 0;
    return size === 8 ? Number(meta.readBigUInt64BE(at - 8)) : meta.readUIntBE(at - size, size);
  };
  const found = new Map<number, { places: Range[] | undefined; isInData: boolean }>();
  const count = read(version < 2 ? 2 : 4);
  for (let item = 0; item < count; item += 1) {
    const id = read(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : read(2) & 15;
    const elsewhere = read(2) !== 0;
    const base = read(baseSize);
    const places: Range[] = [];
    let isClear = method <= 1 && !elsewhere;
    for (let left = read(2); left > 0; left -= 1) {
      read(indexSize);
      const start = base + read(offsetSize);
      const length = read(lengthSize);
      // Nothing said of the length: up to the end of what it lies in.
      if (length === 0) isClear = false;
      places.push({ start, end: start + length });
    }
    found.set(id, { places: isClear ? places : undefined, isInData: method === 1 });
  }
  return found;
}
