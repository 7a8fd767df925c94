import { readFileSync } from 'node:fs';

/** How many files and sockets this process may have open; infinity where the system does not say (it does on Linux). */
export function readOpenFilesLimit(file = '/proc/self/limits'): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(file, 'utf8')) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** Connections that may be open: as many as are wanted, and a quarter of what may be open is left for files and backends. */
export function boundConnections(wanted: number, openFiles: number): number {
  return Math.max(1, Math.min(wanted, Math.floor((openFiles * 3) / 4)));
}
