import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/** Bytes held in memory at a time. */
const windowSize = 256 * 1024;

/** Random access to a file of any size through one bounded buffer; made for walking forward in small steps. */
export interface FileWindow {
  /** bytes */
  readonly size: number;
  /** Up to `length` bytes (at most 64 KiB) from `position`; shorter only at the end. Valid until the next call. */
  read(position: number, length: number): Promise<Buffer>;
  /** Whatever is buffered from `position` on: at least 16 bytes, fewer only at the end. Valid until the next call. */
  readSome(position: number): Promise<Buffer>;
}

export function createFileWindow(handle: FileHandle, size: number): FileWindow {
  return createWindow(size, async (buffer, position) => {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  });
}

/** The same over what can be opened at any place, as files of a store can; `end` is included, as in HTTP. */
export function createRangeWindow(
  open: (range: { start: number; end: number }) => Promise<Readable>,
  size: number,
): FileWindow {
  return createWindow(size, async (buffer, position) => {
    const end = Math.min(position + buffer.length, size) - 1;
    if (end < position) return 0;
    let filled = 0;
    for await (const chunk of await open({ start: position, end })) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a stored file is read as bytes');
      filled += chunk.copy(buffer, filled);
    }
    return filled;
  });
}

/** `read` fills the buffer from a position of the file on, as far as there is something, and tells how far. */
function createWindow(size: number, read: (buffer: Buffer, position: number) => Promise<number>): FileWindow {
  const buffer = Buffer.allocUnsafe(Math.min(windowSize, Math.max(size, 1)));
  let start = 0;
  let filled = 0;

  async function fill(position: number): Promise<void> {
    start = position;
    filled = await read(buffer, position);
  }

  return {
    size,
    async read(position, length) {
      const wanted = Math.max(0, Math.min(length, size - position));
      if (position < start || position + wanted > start + filled) await fill(position);
      return buffer.subarray(position - start, Math.min(position - start + wanted, filled));
    },
    async readSome(position) {
      if (position >= size) return buffer.subarray(0, 0);
      const needed = Math.min(position + 16, size);
      if (position < start || needed > start + filled) await fill(position);
      if (position >= start + filled) throw new Error('a file became shorter while it was checked');
      return buffer.subarray(position - start, filled);
    },
  };
}

/** The same over bytes that are in memory anyway. */
export function createBufferWindow(bytes: Buffer): FileWindow {
  return {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + Math.max(0, length)),
    readSome: async (position) => bytes.subarray(position),
  };
}
