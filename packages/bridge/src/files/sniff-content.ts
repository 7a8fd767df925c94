import { fileTypeFromFile } from 'file-type';
import { findFileType, type FileType } from './file-types.ts';
import type { FileWindow } from './file-window.ts';

/** What a file really is by its first bytes: a checkable type, or in words what else. */
export type SniffedContent = { type: FileType } | { type: undefined; label: string };

export async function sniffContent(path: string, window: FileWindow): Promise<SniffedContent> {
  if (await isSafetensors(window)) {
    const type = findFileType('application/x-safetensors');
    if (type !== undefined) return { type };
  }
  const found = await identify(path);
  if (found === undefined) return { type: undefined, label: 'of no known type' };
  const type = findFileType(found.mime);
  // `.mp1` and `.mp2` share MP3's MIME type and nothing else.
  if (type === undefined || (type.contentType === 'audio/mpeg' && found.ext !== 'mp3')) {
    return { type: undefined, label: `${found.ext.toUpperCase()} (${found.mime})` };
  }
  return { type };
}

async function identify(path: string): Promise<{ ext: string; mime: string } | undefined> {
  try {
    return await fileTypeFromFile(path);
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
