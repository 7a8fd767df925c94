import { BridgeError } from '../../errors.ts';
import type { FilePolicy } from '../collect-result.ts';
import { openStripped, type KeptFile, type StrippedFile } from './open-stripped.ts';
import { canReencode, reencodeImage } from './reencode-image.ts';

type SendingPolicy = Pick<FilePolicy, 'stripMetadata' | 'reencodeImages' | 'maxPixels'>;

/**
 * What a backend gets of a kept file: the machine may be anybody's. `isTrusted`: the operator's own file, which is sent as it is
 * where nobody can tell its parts. Throws `BridgeError('file_refused')` for others: nothing leaves with metadata unnoticed.
 */
export async function prepareForBackend(
  file: KeptFile,
  policy: SendingPolicy & { isTrusted?: boolean },
): Promise<StrippedFile> {
  const { stripMetadata, reencodeImages, maxPixels, isTrusted = false } = policy;
  const reencodes = reencodeImages && canReencode(file.contentType);
  if (!reencodes && !stripMetadata) return asItIs(file);
  const made = reencodes ? await reencodeImage(file, { maxPixels }) : await openStripped(file);
  if (made.ok) return made.file;
  if (isTrusted) return asItIs(file);
  throw new BridgeError('file_refused', `an uploaded file cannot be sent: ${made.reason}`);
}

function asItIs({ size, open }: KeptFile): StrippedFile {
  return { size, open: () => open() };
}
