import { posix } from 'node:path';
import type { FileRef, FileType } from './wire.ts';

export interface StoredFile {
  bytes: Uint8Array;
  /** Milliseconds since the epoch. */
  modified: number;
}

/** What one folder may hold, in bytes, before its oldest files go. */
const FOLDER_LIMIT = 256 * 1024 * 1024;

/** ComfyUI's input, output and temp folders, in memory. Keys are `subfolder/name` or just `name`. */
export class FileStore {
  readonly #folders: Record<FileType, Map<string, StoredFile>> = {
    input: new Map(),
    output: new Map(),
    temp: new Map(),
  };
  readonly #sizes: Record<FileType, number> = { input: 0, output: 0, temp: 0 };
  readonly #counters = new Map<string, number>();
  #topLevel: string[] | undefined;

  get(type: FileType, key: string): StoredFile | undefined {
    return this.#folders[type].get(key);
  }

  put(type: FileType, key: string, bytes: Uint8Array): void {
    const folder = this.#folders[type];
    if (type === 'input') this.#topLevel = undefined;
    this.#sizes[type] += bytes.length - (folder.get(key)?.bytes.length ?? 0);
    folder.delete(key);
    folder.set(key, { bytes, modified: Date.now() });
    for (const [oldest, file] of folder) {
      if (this.#sizes[type] <= FOLDER_LIMIT || oldest === key) break;
      folder.delete(oldest);
      this.#sizes[type] -= file.bytes.length;
    }
  }

  /** False when there was none. */
  remove(type: FileType, key: string): boolean {
    const folder = this.#folders[type];
    if (type === 'input') this.#topLevel = undefined;
    this.#sizes[type] -= folder.get(key)?.bytes.length ?? 0;
    return folder.delete(key);
  }

  keys(type: FileType): string[] {
    return [...this.#folders[type].keys()];
  }

  /** The files directly in the input folder, sorted: the choices that LoadImage offers. The same list until it changes. */
  topLevelInputs(): string[] {
    this.#topLevel ??= this.keys('input')
      .filter((key) => !key.includes('/'))
      .sort();
    return this.#topLevel;
  }

  /** Saves one picture of a batch as `prefix_00001_.ext`; the number rises per prefix and folder. */
  saveNumbered(type: FileType, prefix: string, extension: string, bytes: Uint8Array): FileRef {
    const path = posix.normalize(prefix);
    const slash = path.lastIndexOf('/');
    const subfolder = slash < 0 ? '' : path.slice(0, slash);
    const name = slash < 0 ? path : path.slice(slash + 1);
    const counterKey = `${type}:${path}`;
    const counter = (this.#counters.get(counterKey) ?? 0) + 1;
    this.#counters.set(counterKey, counter);
    const filename = `${name}_${String(counter).padStart(5, '0')}_.${extension}`;
    this.put(type, fileKey(subfolder, filename), bytes);
    return { filename, subfolder, type };
  }

  /** ComfyUI empties its temp folder when it starts. */
  clearTemp(): void {
    this.#folders.temp.clear();
    this.#sizes.temp = 0;
    for (const key of this.#counters.keys()) if (key.startsWith('temp:')) this.#counters.delete(key);
  }
}

export function isFileType(value: string): value is FileType {
  return value === 'input' || value === 'output' || value === 'temp';
}

/** The store's key, or undefined when the subfolder leads out of the folder. */
export function containedKey(subfolder: string, name: string): string | undefined {
  const folder = posix.normalize(`/${subfolder}`);
  const escapes = subfolder.startsWith('/') || posix.normalize(subfolder || '.').startsWith('..');
  return escapes ? undefined : fileKey(folder.replace(/^\/|\/$/g, ''), name);
}

/** Splits `name.png [temp]` as ComfyUI does: a suffix names the folder, otherwise it is the caller's choice. */
export function splitAnnotation(name: string): { name: string; type: FileType | undefined } {
  const found = /^(.*?) ?\[(input|output|temp)\]$/s.exec(name);
  const type = found?.[2];
  return found && type !== undefined && isFileType(type)
    ? { name: found[1] ?? '', type }
    : { name, type: undefined };
}

function fileKey(subfolder: string, name: string): string {
  return subfolder === '' || subfolder === '.' ? name : `${subfolder}/${name}`;
}
