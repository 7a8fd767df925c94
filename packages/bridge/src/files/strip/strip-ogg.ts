import type { FileWindow } from '../file-window.ts';
import type { Edit } from './edits.ts';
import { checksumPage } from './ogg-checksum.ts';
import type { StripPlan } from './strip-plan.ts';

/** A page is a header of 27 bytes, up to 255 lengths, and as many pieces of packets of up to 255 bytes each. */
const pageHead = 27;
const maxPages = 2_000_000;
/** The second packet of a stream holds its words; pictures make it long. */
const maxCommentPages = 2_000;

interface Page {
  start: number;
  serial: number;
  /** Where the pieces of packets begin, and how long each is. */
  content: number;
  pieces: readonly number[];
  end: number;
}

/** A stream of those that share a file, while its second packet is looked for. */
interface Stream {
  packet: number;
  /** What the packet is, by how it begins. */
  comment: Comment | undefined;
  /** Bytes of the packet that have been seen. */
  seen: number;
}

interface Comment {
  /** Bytes that stay: the name of the packet. */
  kept: number;
  /** What follows: no vendor, no words. The rest is zeros. */
  empty: Buffer;
}

const empty = Buffer.alloc(8);
const comments: readonly (readonly [name: string, empty: Buffer])[] = [
  ['OpusTags', empty],
  // A bit says that it ends here.
  ['\x03vorbis', Buffer.concat([empty, Buffer.from([1])])],
  ['\x81theora', empty],
];

/**
 * Ogg: the words of each stream (the packet behind its first) are overwritten where they lie, and the checksums of the pages made
 * anew. Streams whose words look otherwise are left as they are.
 */
export async function stripOgg(window: FileWindow): Promise<StripPlan> {
  const streams = new Map<number, Stream>();
  const edits: Edit[] = [];
  let position = 0;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await readPage(window, position);
    if (page === undefined) {
      if (pages === 0) return { ok: false, reason: 'the file is cut off or damaged' };
      break;
    }
    edits.push(...(await stripPage(window, page, streams)));
    position = page.end;
    // What comes now is sound and pictures.
    if (pages > maxCommentPages) break;
  }
  return { ok: true, edits };
}

async function readPage(window: FileWindow, start: number): Promise<Page | undefined> {
  const head = await window.read(start, pageHead + 255);
  if (head.length < pageHead || head.toString('latin1', 0, 4) !== 'OggS') return undefined;
  const count = head.readUInt8(26);
  const pieces = [...head.subarray(pageHead, pageHead + count)];
  const content = start + pageHead + count;
  const end = content + pieces.reduce((sum, length) => sum + length, 0);
  if (pieces.length < count || end > window.size) return undefined;
  return { start, serial: head.readUInt32LE(14), content, pieces, end };
}

async function stripPage(window: FileWindow, page: Page, streams: Map<number, Stream>): Promise<Edit[]> {
  const { serial, pieces, content } = page;
  const stream = streams.get(serial) ?? { packet: 0, comment: undefined, seen: 0 };
  streams.set(serial, stream);
  if (stream.packet > 1) return [];
  const bytes = Buffer.from(await window.read(page.start, page.end - page.start));
  const offset = content - page.start;
  let isChanged = false;
  let at = offset;
  for (const length of pieces) {
    if (stream.packet === 1) {
      if (stream.seen === 0) stream.comment = identify(bytes.subarray(at, at + length));
      if (stream.comment !== undefined) {
        overwrite(bytes.subarray(at, at + length), stream.seen, stream.comment);
        isChanged = true;
      }
    }
    stream.seen += length;
    at += length;
    // A piece of 255 bytes says that the packet goes on.
    if (length < 255) {
      stream.packet += 1;
      stream.seen = 0;
    }
  }
  if (!isChanged) return [];
  bytes.writeUInt32LE(0, 22);
  bytes.writeUInt32LE(checksumPage(bytes), 22);
  return [{ start: page.start, end: page.end, put: bytes }];
}

function identify(beginning: Buffer): Comment | undefined {
  const found = comments.find(
    ([name, empty]) =>
      beginning.length >= name.length + empty.length && beginning.toString('latin1', 0, name.length) === name,
  );
  return found && { kept: found[0].length, empty: found[1] };
}

/** `piece` begins at byte `seen` of its packet. */
function overwrite(piece: Buffer, seen: number, { kept, empty }: Comment): void {
  for (let at = 0; at < piece.length; at++) {
    const place = seen + at;
    if (place >= kept) piece[at] = empty[place - kept] ?? 0;
  }
}
