import { posix } from 'node:path';

export interface UserFile {
  bytes: Uint8Array;
  /** Milliseconds since the epoch. */
  modified: number;
}

const MAX_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 2000;

/** What the editor keeps on the server, by path: workflows, templates, its styles. In memory; the oldest go first. */
export class UserFiles {
  readonly #files = new Map<string, UserFile>();
  #size = 0;

  get(path: string): UserFile | undefined {
    return this.#files.get(path);
  }

  put(path: string, bytes: Uint8Array): UserFile {
    this.remove(path);
    const file = { bytes, modified: Date.now() };
    this.#files.set(path, file);
    this.#size += bytes.length;
    for (const oldest of this.#files.keys()) {
      if (oldest === path || (this.#size <= MAX_BYTES && this.#files.size <= MAX_FILES)) break;
      this.remove(oldest);
    }
    return file;
  }

  remove(path: string): boolean {
    this.#size -= this.#files.get(path)?.bytes.length ?? 0;
    return this.#files.delete(path);
  }

  /** The files of a folder, with paths relative to it; those below its subfolders only when asked for. */
  list(folder: string, recurse: boolean): { path: string; file: UserFile }[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...this.#files]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, file]) => ({ path: path.slice(prefix.length), file }))
      .filter(({ path }) => recurse || !path.includes('/'));
  }

  hasFolder(folder: string): boolean {
    return folder === '' || this.list(folder, true).length > 0;
  }
}

/** The path as it is kept; undefined when it leads out of the user's folder. */
export function userPath(path: string): string | undefined {
  const normal = posix.normalize(path).replace(/\/$/, '');
  return path.startsWith('/') || normal.startsWith('..') || normal.includes('\0')
    ? undefined
    : normal === '.'
      ? ''
      : normal;
}
