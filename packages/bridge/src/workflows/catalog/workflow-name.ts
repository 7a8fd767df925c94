import { createHash } from 'node:crypto';

type ParsedAlias = { ok: true; alias: string } | { ok: false; problem: string };

const maxLength = 128;
const maxStemBytes = 100;

/** An alias under which a workflow may be published, in Unicode's composed form (NFC); or what is wrong with it. */
export function parseAlias(name: string): ParsedAlias {
  const problem = findFault(name);
  return problem === undefined ? { ok: true, alias: name.normalize('NFC') } : { ok: false, problem };
}

function findFault(name: string): string | undefined {
  if (name.trim() === '' || name.normalize('NFC').length > maxLength)
    return `an alias has 1 to ${maxLength} characters`;
  if (/[/\\]/.test(name)) return 'an alias holds no "/" and no "\\"';
  if (name === '.' || name === '..') return 'an alias is neither "." nor ".."';
  // Control characters, and those that reorder text on the screen.
  if (!name.isWellFormed() || /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\uFEFF]/u.test(name))
    return 'an alias holds no control characters';
  return name === name.trim() ? undefined : 'an alias neither begins nor ends with a space';
}

/** Equal for names that some systems, or some readers, cannot tell apart. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/**
 * The name of the file of a workflow: what every system takes, whatever the alias holds, and none that `isTaken`. Never with a
 * folder, a leading dot or an ending other than `.json`.
 */
export function toWorkflowFileName(alias: string, isTaken: (fileName: string) => boolean): string {
  const wanted = alias.replace(/\.json$/i, '');
  const stem = toStem(wanted);
  const digest = createHash('sha256').update(alias).digest('hex').slice(0, 8);
  // Two aliases that are written alike do not share a name.
  const first = stem === wanted ? stem : `${stem}-${digest}`;
  if (!isTaken(`${first}.json`)) return `${first}.json`;
  let fileName = `${stem}-${digest}.json`;
  for (let number = 2; isTaken(fileName); number += 1) fileName = `${stem}-${digest}-${number}.json`;
  return fileName;
}

/** The name of the picture of a workflow: another picture has another name. `extension` with dot. */
export function toThumbnailName(alias: string, content: string, extension: string): string {
  return `${toStem(alias)}-${createHash('sha256').update(content).digest('hex').slice(0, 8)}${extension}`;
}

function toStem(wanted: string): string {
  const plain = cutBytes(wanted.replaceAll(/[^\p{L}\p{M}\p{N}._ -]+/gu, '_'), maxStemBytes)
    .replace(/^[._ -]+/, '')
    .replace(/[. ]+$/, '');
  if (plain === '' || /^_+$/.test(plain)) return 'workflow';
  // Names of devices on Windows, with any ending.
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `workflow-${plain}` : plain;
}

function cutBytes(text: string, maxBytes: number): string {
  let cut = '';
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > maxBytes) break;
    cut += character;
  }
  return cut;
}
