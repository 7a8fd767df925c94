import type { Readable } from 'node:stream';

import { BridgeError } from '../errors.ts';
import { checkClaim, checkFile } from './check-file.ts';
import type { CheckedFile, CheckPolicy, UncheckedFile } from './check-file.ts';
import type { PendingFile } from './file-store.ts';

/** Refuses (`file_refused`) what cannot pass whatever it holds, so that it need not be received. */
export function requireClaim(
  { fileName, declaredType }: Pick<UncheckedFile, 'fileName' | 'declaredType'>,
  { allowed }: Pick<CheckPolicy, 'allowed'>,
): void {
  const claim = checkClaim({ fileName, declaredType }, allowed);
  if (!claim.ok) throw new BridgeError('file_refused', `${toShown(fileName)}: ${claim.reason}`);
}

/** Refuses (`file_refused`) what does not pass the safety check. */
export async function requireSafe(file: UncheckedFile, policy: CheckPolicy): Promise<CheckedFile> {
  const checked = await checkFile(file, policy);
  if (!checked.ok) throw new BridgeError('file_refused', `${toShown(file.fileName)}: ${checked.reason}`);
  return checked.file;
}

/** As `PendingFile.receive`; a refusal for its size names the file. */
export async function receiveNamed(
  pending: PendingFile,
  fileName: string,
  body: Readable,
  options: { maxBytes: number; signal: AbortSignal },
): Promise<void> {
  try {
    await pending.receive(body, options);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'too_large') throw error;
    throw new BridgeError('too_large', `${toShown(fileName)}: ${error.message}`, { cause: error });
  }
}

/** A client's words in our message: bounded, on one line. */
export function toShown(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}/gu, '\uFFFD')
    .slice(0, 120);
}
