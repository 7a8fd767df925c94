import type { SqlFailure } from './messages.ts';

// Primary result codes: https://www.sqlite.org/rescode.html. The extended ones have the primary in their low byte.
const codes = new Map([
  [1, 'ERROR'],
  [3, 'PERM'],
  [5, 'BUSY'],
  [8, 'READONLY'],
  [11, 'CORRUPT'],
  [13, 'FULL'],
  [14, 'CANTOPEN'],
  [18, 'TOOBIG'],
  [19, 'CONSTRAINT'],
  [20, 'MISMATCH'],
  [21, 'MISUSE'],
  [25, 'RANGE'],
  [26, 'NOTADB'],
]);

/** The fault lies in the statement or its values, not in the database or the disk. */
const ownFault = new Set<string | undefined>([
  'ERROR',
  'TOOBIG',
  'CONSTRAINT',
  'MISMATCH',
  'MISUSE',
  'RANGE',
]);

/** The name of SQLite's result code, `OTHER` for one that nothing here asks about; undefined for any other error. */
export function sqliteErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return codes.get(error.errcode & 0xff) ?? 'OTHER';
}

export function toSqlFailure(error: unknown): SqlFailure {
  const message = error instanceof Error ? error.message : String(error);
  const code = sqliteErrorCode(error);
  if (code === undefined || ownFault.has(code)) return { reason: 'refused', message };
  return { reason: code === 'FULL' ? 'full' : 'unavailable', message };
}
