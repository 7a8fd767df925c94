import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type';
import type { FileContent } from './file-content.ts';
import { findFileType, type FileType } from './file-types.ts';
import type { FileWindow } from './file-window.ts';

/** What a file really is by its first bytes: a checkable type, or in words what else. */
export type SniffedContent = { type: FileType } | { type: undefined; label: string };

export async function sniffContent(content: FileContent, window: FileWindow): Promise<SniffedContent> {
  if (await isSafetensors(window)) {
    const type = findFileType('application/x-safetensors');
    if (type !== undefined) return { type };
  }
  const found = await identify(content, window);
  if (found === undefined) return { type: undefined, label: 'of no known type' };
  const type = findFileType(found.mime);
  // `.mp1` and `.mp2` share MP3's MIME type and nothing else.
  if (type === undefined || (type.contentType === 'audio/mpeg' && found.ext !== 'mp3')) {
    return { type: undefined, label: `${found.ext.toUpperCase()} (${found.mime})` };
  }
  return { type };
}

/** The beginning tells a picture for sure; of a file it costs one read, where the detector makes a dozen. */
const headSize = 64 * 1024;

async function identify(
  content: FileContent,
  window: FileWindow,
): Promise<{ ext: string; mime: string } | undefined> {
  try {
    const found = await fileTypeFromBuffer(await window.read(0, headSize));
    if (window.size <= headSize || found?.mime.startsWith('image/') === true) return found;
    return await (typeof content === 'string' ? fileTypeFromFile(content) : fileTypeFromBuffer(content));
  } catch {
    // A file made to confuse the detector: of no known type.
    return undefined;
  }
}

/** safetensors, ComfyUI's format of latents: length of the header (8 bytes, little endian), then the header in JSON. */
async function isSafetensors(window: FileWindow): Promise<boolean> {
  const head = await window.read(0, 10);
  if (head.length < 10) return false;
  const length = head.readBigUInt64LE(0);
  return length >= 2n && length <= BigInt(window.size - 8) && head.toString('latin1', 8, 10) === '{"';
}
