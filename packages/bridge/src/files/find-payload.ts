import type { FileWindow } from './file-window.ts';

/** First bytes of what must not ride along with a picture. */
const signatures: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a ZIP archive', Buffer.from('PK\x03\x04', 'latin1')],
  ['a ZIP archive', Buffer.from('PK\x05\x06', 'latin1')],
  ['a RAR archive', Buffer.from('Rar!\x1a\x07', 'latin1')],
  ['a 7z archive', Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1')],
  ['an xz archive', Buffer.from('\xfd7zXZ\x00', 'latin1')],
  ['a gzip archive', Buffer.from('\x1f\x8b\x08', 'latin1')],
  ['a bzip2 archive', Buffer.from('BZh91AY&SY', 'latin1')],
  ['a Zstandard archive', Buffer.from('\x28\xb5\x2f\xfd', 'latin1')],
  ['a cabinet archive', Buffer.from('MSCF\0\0\0\0', 'latin1')],
  ['an archive', Buffer.from('!<arch>\n', 'latin1')],
  ['an office document', Buffer.from('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'latin1')],
  ['a document', Buffer.from('{\\rtf1', 'latin1')],
  ['a program', Buffer.from('\x7fELF', 'latin1')],
  ['a program', Buffer.from('dex\n03', 'latin1')],
  ['a program', Buffer.from('\xce\xfa\xed\xfe', 'latin1')],
  ['a program', Buffer.from('\xca\xfe\xba\xbe', 'latin1')],
  ['a program', Buffer.from('\xcf\xfa\xed\xfe', 'latin1')],
  ['a program', Buffer.from('\x00asm', 'latin1')],
  ['a PDF', Buffer.from('%PDF-', 'latin1')],
];

const markup = /<\?(?:php|=)|<script|<!doctype|<html|<svg|<iframe|javascript:|^\s*#!|\*\//i;

/** What program or archive begins at the first byte, in words. Needs the first 1024 bytes or all there is. */
export function identifyBinaryPayload(bytes: Buffer): string | undefined {
  const known = signatures.find(([, signature]) => bytes.subarray(0, signature.length).equals(signature));
  if (known !== undefined) return known[0];
  if (bytes.toString('latin1', 257, 262) === 'ustar') return 'a tar archive';
  return isWindowsProgram(bytes) ? 'a Windows program' : undefined;
}

/** "MZ" alone is two letters of any text; a program also points from there to its "PE" header. */
function isWindowsProgram(bytes: Buffer): boolean {
  if (bytes.length < 64 || bytes.toString('latin1', 0, 2) !== 'MZ') return false;
  const header = bytes.readUInt32LE(60);
  return header + 4 > bytes.length
    ? header < 4096
    : bytes.toString('latin1', header, header + 4) === 'PE\0\0';
}

/** What begins or is written within bytes that have no business where they are, in words. */
export function identifyPayload(bytes: Buffer): string | undefined {
  const binary = identifyBinaryPayload(bytes);
  if (binary !== undefined) return binary;
  if (bytes.length >= 2 && bytes.toString('latin1', 0, 2) === 'MZ') return 'a Windows program';
  if (markup.test(bytes.toString('latin1'))) return 'a script';
  const known = signatures.find(([, signature]) => signature.length >= 4 && bytes.includes(signature));
  return known?.[0];
}

/** The end record is 22 bytes plus a comment of at most 65,535. */
const zipEndReach = 22 + 65_535;

/**
 * True for a file that unpacks as a ZIP archive: readers look for the end record from the end, so that an archive can
 * share a file with a picture. The record must point at a directory that is really there; the letters "PK" alone mean
 * nothing.
 */
export async function isZipArchive(window: FileWindow): Promise<boolean> {
  const tailStart = Math.max(0, window.size - zipEndReach);
  // Copied: looking at the directory re-uses the window's buffer.
  const parts: Buffer[] = [];
  for (let at = tailStart; at < window.size; at += 60_000)
    parts.push(Buffer.from(await window.read(at, 60_000)));
  const tail = Buffer.concat(parts);
  const record = Buffer.from('PK\x05\x06', 'latin1');
  for (let at = tail.lastIndexOf(record); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(record, at - 1)) {
    if (at + 22 > tail.length) continue;
    const directorySize = tail.readUInt32LE(at + 12);
    const directoryStart = tailStart + at - directorySize;
    if (directorySize < 46 || directoryStart < 0) continue;
    const directory = await window.read(directoryStart, 4);
    if (directory.toString('latin1') === 'PK\x01\x02') return true;
  }
  return false;
}
