import type { FileWindow } from '../file-window.ts';

/** An element of a Matroska file. */
export interface Element {
  id: number;
  /** The id of what it lies in; 0 at the top. */
  parent: number;
  start: number;
  /** Where its content begins. */
  content: number;
  /** Not included. */
  end: number;
}

export type WalkedElements =
  | { ok: true; elements: readonly Element[]; end: number }
  | { ok: false; reason: string };

const header = 0x1a45dfa3;
const segment = 0x18538067;
const cluster = 0x1f43b675;
/** What a segment holds: each ends a cluster of unknown length. */
const inSegment = new Set([
  0x114d9b74,
  0x1549a966,
  0x1654ae6b,
  cluster,
  0x1c53bb6b,
  0x1941a469,
  0x1043a770,
  0x1254c367,
]);
const maxElements = 1_000_000;

const damaged: WalkedElements = {
  ok: false,
  reason: 'the file is damaged: its parts do not fit into each other',
};
const tooMany: WalkedElements = { ok: false, reason: 'the file has too many parts' };

/**
 * The elements of a file and of those that `enters` names, in order. An element is `id length content`, both of one to eight bytes;
 * who records live writes segments and clusters of unknown length. What lies in a cluster is not told. The last element may be cut
 * off.
 */
export async function walkElements(
  window: FileWindow,
  enters: (id: number) => boolean,
): Promise<WalkedElements> {
  const elements: Element[] = [];
  const open: { id: number; end: number; unknown: boolean }[] = [];
  let position = 0;
  for (let count = 0; count < maxElements; count++) {
    while (open.length > 0 && position >= (open.at(-1)?.end ?? 0)) open.pop();
    if (position >= window.size) return { ok: true, elements, end: window.size };
    const head = readHead(await window.read(position, 12));
    const isTop = open.length === 0;
    if (head === undefined) {
      const isBehind = isTop && elements.some(({ id }) => id === segment);
      return isBehind ? { ok: true, elements, end: position } : damaged;
    }
    if (count === 0 && head.id !== header) return damaged;
    while (open.at(-1)?.unknown === true && leaves(open.at(-1)?.id, head.id)) open.pop();
    const parent = open.at(-1);
    const limit = parent?.end ?? window.size;
    const content = position + head.length;
    const unknown = head.size === undefined;
    if (unknown && head.id !== segment && head.id !== cluster) return damaged;
    const told = unknown ? limit : content + (head.size ?? 0);
    if (told > limit && limit < window.size) return damaged;
    const end = Math.min(told, limit);
    if (parent?.id !== cluster)
      elements.push({ id: head.id, parent: parent?.id ?? 0, start: position, content, end });
    if (unknown || enters(head.id)) {
      open.push({ id: head.id, end, unknown });
      position = content;
    } else {
      position = end;
    }
  }
  return tooMany;
}

function leaves(open: number | undefined, next: number): boolean {
  if (next === header || next === segment) return true;
  return open === cluster && inSegment.has(next);
}

interface Head {
  id: number;
  /** Undefined: unknown. */
  size: number | undefined;
  /** Of id and length together. */
  length: number;
}

function readHead(bytes: Buffer): Head | undefined {
  const idLength = Math.clz32(bytes[0] ?? 0) - 23;
  if (idLength > 4 || bytes.length < idLength + 1) return undefined;
  const id = bytes.readUIntBE(0, idLength);
  const first = bytes[idLength] ?? 0;
  const width = Math.clz32(first) - 23;
  if (width > 8 || bytes.length < idLength + width) return undefined;
  let size = first & (0xff >> width);
  let isUnknown = size === 0xff >> width;
  for (let at = idLength + 1; at < idLength + width; at++) {
    const byte = bytes[at] ?? 0;
    size = size * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  if (!isUnknown && !Number.isSafeInteger(size)) return undefined;
  return { id, size: isUnknown ? undefined : size, length: idLength + width };
}
