export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface Entry {
  kind: EntryKind;
  /** Permission bits only. */
  mode: number;
  size: number;
  modifiedMs: number;
  /** Of the owner; 0 where the platform has none. */
  owner: number;
}

/**
 * What the CLI does with files. Everything that changes something is one call here, so that tests can end the process before
 * and after each, or let it fail. Synchronous: nothing else goes on meanwhile, and the order is the order of the lines.
 *
 * Every call may throw what Node's file system throws (`ENOSPC`, `EACCES`, …); looking at what is not there gives undefined.
 */
export interface Disk {
  /** Does not follow a link in the last segment. */
  look(path: string): Entry | undefined;
  read(path: string): Buffer;
  /** Names in a folder, sorted. */
  list(path: string): string[];
  linkTarget(path: string): string;
  /** With every link followed; undefined for what is not there. */
  realPath(path: string): string | undefined;
  canWriteIn(folder: string): boolean;

  /** A new file, on the disk when this returns; `EEXIST` when there is one. `mode` is set exactly; without it the umask decides. */
  createFile(path: string, content: Uint8Array, mode?: number): void;
  createFolder(path: string, mode?: number): void;
  rename(from: string, to: string): void;
  /** A second name for a file; `EEXIST` when there is one. */
  link(from: string, to: string): void;
  removeFile(path: string): void;
  /** An empty one. */
  removeFolder(path: string): void;
  /** Makes renames in this folder last through a power cut, where the platform can. */
  syncFolder(path: string): void;
}
