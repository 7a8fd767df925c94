import { open } from 'node:fs/promises';
import { extname } from 'node:path';

import { createFileWindow } from '../file-window.ts';
import { sniffContent } from '../sniff-content.ts';

/** True for bytes that were given no name: the official SDKs call them `upload.bin`, of type `application/octet-stream`. */
export function isUnnamed(fileName: string, declaredType: string | undefined): boolean {
  const bare = declaredType?.split(';', 1)[0]?.trim().toLowerCase() ?? 'application/octet-stream';
  const extension = extname(fileName).toLowerCase();
  return bare === 'application/octet-stream' && (extension === '' || extension === '.bin');
}

/** A name with the extension that the content at `path` has by its own account; undefined where it has none that is known. */
export async function nameByContent(path: string, size: number): Promise<string | undefined> {
  if (size === 0) return undefined;
  await using handle = await open(path, 'r');
  const { type } = await sniffContent(path, createFileWindow(handle, size));
  const extension = type?.extensions[0];
  return extension === undefined ? undefined : `file${extension}`;
}
