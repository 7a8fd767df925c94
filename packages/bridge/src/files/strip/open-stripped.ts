import { Readable } from 'node:stream';

import { smallBytes, type ByteRange } from '../file-store.ts';
import { createBufferWindow, createRangeWindow } from '../file-window.ts';
import { applyEdits, editedSize, streamEdited } from './edits.ts';
import { planStrip } from './strip-metadata.ts';

/** A file as it is kept. */
export interface KeptFile {
  contentType: string;
  /** bytes */
  size: number;
  /** All of it, or a part. */
  open(range?: ByteRange): Promise<Readable>;
}

export interface StrippedFile {
  /** bytes */
  size: number;
  open(): Promise<Readable>;
}

export type Stripped = { ok: true; file: StrippedFile } | { ok: false; reason: string };

/**
 * A kept file as others may see it, without metadata; the kept one stays as it is. What is small is read once; of what is large
 * only the parts are looked at that tell where metadata lie, and they are left out as the file passes by.
 */
export async function openStripped({ contentType, size, open }: KeptFile): Promise<Stripped> {
  if (size <= smallBytes) {
    const bytes = await readAll(await open());
    const plan = await planStrip(contentType, createBufferWindow(bytes));
    if (!plan.ok) return plan;
    const stripped = plan.edits.length === 0 ? bytes : applyEdits(bytes, plan.edits);
    return { ok: true, file: { size: stripped.length, open: async () => Readable.from([stripped]) } };
  }
  const plan = await planStrip(contentType, createRangeWindow(open, size));
  if (!plan.ok) return plan;
  const { edits } = plan;
  if (edits.length === 0) return { ok: true, file: { size, open: () => open() } };
  return {
    ok: true,
    file: {
      size: editedSize(size, edits),
      open: async () => streamEdited({ size, open: () => open() }, edits),
    },
  };
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a stored file is read as bytes');
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
