import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/** What a file looked like when it was read; equal signatures mean equal contents. */
export type FileSignature = string;

type WatchedFile =
  | { state: 'unchanged' }
  | { state: 'missing' }
  | { state: 'unreadable'; signature: FileSignature; problem: string }
  | { state: 'read'; signature: FileSignature; bytes: Buffer };

/**
 * Reads `folder/fileName` when it changed since `known`. A link may point elsewhere within the folder (as mounted
 * configuration does) and nowhere else. Never rejects: what cannot be read is an outcome.
 */
export async function readWatchedFile(
  folder: string,
  fileName: string,
  known: FileSignature | undefined,
  maxBytes: number,
): Promise<WatchedFile> {
  const path = join(folder, fileName);
  let signature = 'unknown';
  try {
    // With nanoseconds and the inode: two writes of the same length within one tick still differ.
    const info = await stat(path, { bigint: true });
    signature = [info.mtimeNs, info.ctimeNs, info.size, info.ino].join(':');
    if (signature === known) return { state: 'unchanged' };
    const unreadable = (problem: string): WatchedFile => ({ state: 'unreadable', signature, problem });
    if (!(await staysInside(folder, path))) return unreadable('is a link to a place outside its folder');
    if (!info.isFile()) return unreadable('is not a file');
    if (info.size > maxBytes) return unreadable(`is larger than ${maxBytes} bytes`);
    return { state: 'read', signature, bytes: await readFile(path) };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing' };
    return { state: 'unreadable', signature: `${signature}:${code}`, problem: `cannot be read (${code})` };
  }
}

/** True when a path, links followed, ends within the folder. Rejects when either is missing. */
export async function staysInside(folder: string, path: string): Promise<boolean> {
  const [realFolder, realFile] = await Promise.all([realpath(folder), realpath(path)]);
  return realFile === join(realFolder, basename(realFile)) || dirname(realFile).startsWith(realFolder + sep);
}

export function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
