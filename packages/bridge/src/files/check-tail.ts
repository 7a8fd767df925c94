import type { FileWindow } from './file-window.ts';
import { identifyPayload, isZipArchive } from './find-payload.ts';

/** Bytes behind the end that are let pass when they are nothing in particular; some cameras and tools leave a few. */
const slack = 16;
/** Padding behind the end is looked through up to here. */
const maxPadding = 64 * 1024;

/** Why what lies behind `end` is refused; undefined when there is nothing of the kind. */
export async function checkTail(window: FileWindow, end: number): Promise<string | undefined> {
  if (await isZipArchive(window)) return 'a ZIP archive is hidden in the file';
  const length = window.size - end;
  if (length <= 0) return undefined;
  const tail = await window.read(end, maxPadding);
  const content = trimPadding(tail);
  if (length <= maxPadding && content.length === 0) return undefined;
  const payload = identifyPayload(content);
  if (payload !== undefined) return `${payload} is hidden behind the end of the file`;
  if (length <= slack || (length <= maxPadding && isCameraTrailer(tail))) return undefined;
  return `${length} bytes follow the end of the file; save it again without them`;
}

function trimPadding(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && isPadding(bytes[start])) start += 1;
  while (end > start && isPadding(bytes[end - 1])) end -= 1;
  return bytes.subarray(start, end);
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === 0xff || byte === 0x0a || byte === 0x0d || byte === 0x20;
}

/** Samsung phones write a small directory of shot details behind every JPEG; it ends with these letters. */
function isCameraTrailer(tail: Buffer): boolean {
  return tail.toString('latin1', tail.length - 4) === 'SEFT' && tail.includes('SEFH');
}
