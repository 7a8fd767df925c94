import { addAbortSignal, type Readable } from 'node:stream';

import { toBodyStream } from '../streamed-file.ts';

/** A change that is made to a file while it is read. The bytes from `start` up to `end` (not included) are replaced. */
export interface Edit {
  start: number;
  end: number;
  /** What stands there instead; `zeros`: as many zero bytes as there were. */
  put: Buffer | 'zeros';
}

export const nothing = Buffer.alloc(0);

export function cut(start: number, end: number): Edit {
  return { start, end, put: nothing };
}

/** In the order of the file. Where two overlap, the later one loses what the earlier one has. */
export function sortEdits(edits: readonly Edit[]): Edit[] {
  const sorted: Edit[] = [];
  let reached = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const { end, put } = edit;
    const start = Math.max(edit.start, reached);
    if (end < start || (end === start && (put === 'zeros' || put.length === 0))) continue;
    // What would stand elsewhere than it was made for would be wrong there: only cuts and zeros may lose their beginning.
    if (start > edit.start && put !== 'zeros' && put.length > 0) continue;
    sorted.push({ start, end, put });
    reached = end;
  }
  return sorted;
}

/** Bytes of a file after its edits. */
export function editedSize(size: number, edits: readonly Edit[]): number {
  return edits.reduce((sum, { start, end, put }) => sum + toLength(put, end - start) - (end - start), size);
}

function toLength(put: Edit['put'], replaced: number): number {
  return put === 'zeros' ? replaced : put.length;
}

const zeros = Buffer.alloc(64 * 1024);

/** The pieces of `chunk`, which lies at `position` of the file, after its edits; not copied. `edits` as of `sortEdits`. */
function* editChunk(chunk: Buffer, position: number, edits: readonly Edit[]): Generator<Buffer> {
  const chunkEnd = position + chunk.length;
  let at = position;
  for (const { start, end, put } of edits) {
    if (end < position || (end === position && start < position)) continue;
    if (start >= chunkEnd) break;
    if (start > at) yield chunk.subarray(at - position, start - position);
    if (put === 'zeros') {
      let left = Math.min(end, chunkEnd) - Math.max(start, position);
      for (; left > 0; left -= zeros.length) yield zeros.subarray(0, Math.min(left, zeros.length));
    } else if (start >= position && put.length > 0) {
      yield put;
    }
    at = Math.max(at, Math.min(end, chunkEnd));
  }
  if (at < chunkEnd) yield chunk.subarray(at - position);
}

export function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
  return Buffer.concat([...editChunk(bytes, 0, edits), ...putAtEnd(bytes.length, edits)]);
}

function putAtEnd(size: number, edits: readonly Edit[]): Buffer[] {
  return edits.flatMap(({ start, put }) => (start >= size && put !== 'zeros' ? [put] : []));
}

/** A file with its edits made as it passes by: what is kept is not copied. `edits` as of `sortEdits`. */
export function streamEdited(
  file: { size: number; open(): Promise<Readable> },
  edits: readonly Edit[],
): Readable {
  return toBodyStream(async function* (signal) {
    let position = 0;
    let next = 0;
    for await (const chunk of addAbortSignal(signal, await file.open())) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a stored file is read as bytes');
      const end = position + chunk.length;
      // Those behind are done with: a file may have thousands.
      while ((edits[next]?.end ?? Infinity) < position) next += 1;
      let last = next;
      while ((edits[last]?.start ?? Infinity) < end) last += 1;
      yield* editChunk(chunk, position, edits.slice(next, last));
      position = end;
    }
    if (position !== file.size) throw new Error('a stored file changed its size while it was sent');
    yield* putAtEnd(file.size, edits);
  });
}
