import { isPlainFileName } from './read-marks.ts';
import { isRecord } from '../../lib/is-record.ts';

/** One entry of `workflow_alias.json`. */
export interface AliasEntry {
  alias: string;
  /** The workflow's file name in the workflow folder. */
  fileName: string;
  description: string;
  /** File name in the thumbnail folder. */
  thumbnailFile?: string;
}

type ParsedAliasFile =
  | { ok: true; entries: AliasEntry[]; problems: string[] }
  | { ok: false; problem: string };

/**
 * Reads `[{"alias", "fn", "description", "thumbnail"}]`. A wrong entry is left out with a problem, and of two entries with
 * the same alias the first counts; only a file that is no list at all is `ok: false`.
 */
export function parseAliasFile(text: string): ParsedAliasFile {
  let file: unknown;
  try {
    file = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return {
      ok: false,
      problem: `is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  if (!Array.isArray(file))
    return { ok: false, problem: 'must be a list of {"alias", "fn", "description", "thumbnail"}' };
  const entries = new Map<string, AliasEntry>();
  const problems: string[] = [];
  for (const [index, raw] of file.entries()) {
    const entry = parseEntry(raw);
    if (typeof entry === 'string') problems.push(`entry ${index + 1}: ${entry}`);
    else if (entries.has(entry.alias)) {
      problems.push(
        `entry ${index + 1}: the alias "${entry.alias}" is taken by an entry above; that one counts`,
      );
    } else {
      if (isRecord(raw) && isSet(raw['thumbnail']) && entry.thumbnailFile === undefined) {
        problems.push(`entry ${index + 1}: "thumbnail" must be a file name without a folder`);
      }
      entries.set(entry.alias, entry);
    }
  }
  return { ok: true, entries: [...entries.values()], problems };
}

/** An entry, or what is wrong with it. */
function parseEntry(raw: unknown): AliasEntry | string {
  if (!isRecord(raw)) return 'must be an object';
  const { alias, fn, description, thumbnail } = raw;
  if (typeof alias !== 'string' || alias.trim() === '' || alias.length > 200 || /\p{Cc}/u.test(alias)) {
    return '"alias" must be a name of 1 to 200 characters on one line';
  }
  if (typeof fn !== 'string' || !isPlainFileName(fn)) return '"fn" must be a file name without a folder';
  return {
    alias: alias.trim(),
    fileName: fn,
    description: typeof description === 'string' ? description : '',
    ...(typeof thumbnail === 'string' && isPlainFileName(thumbnail) && { thumbnailFile: thumbnail }),
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
