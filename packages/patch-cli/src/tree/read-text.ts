import type { Disk } from '../disk/disk.ts';

/** A plain file's text; undefined for what is not there, not a file, or larger than `maxBytes`. */
export function readText(disk: Disk, path: string, maxBytes = 1_000_000): string | undefined {
  const entry = disk.look(path);
  if (entry?.kind !== 'file' || entry.size > maxBytes) return undefined;
  return disk.read(path).toString('utf8');
}
