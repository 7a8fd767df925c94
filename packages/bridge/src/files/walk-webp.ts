import type { FileWindow } from './file-window.ts';
import type { VisitPart, WalkedImage } from './walk-png.ts';
import { walkRiff } from './walk-riff.ts';

/** WebP: a RIFF file whose chunks are `name(4) length(4, little endian) data`, padded to even. */
export async function walkWebp(
  window: FileWindow,
  visit: VisitPart<string> = () => {},
): Promise<WalkedImage> {
  const walked = await walkRiff(window, 'WEBP');
  if (!walked.ok) return walked;
  const fits = await walkChunks(window, { start: 12, end: walked.end }, visit);
  return fits ? walked : { ok: false, reason: 'the image is cut off or damaged' };
}

/** False when a chunk reaches beyond the end. The padding of the last one may be missing. */
export async function walkChunks(
  window: FileWindow,
  { start, end }: { start: number; end: number },
  visit: VisitPart<string>,
): Promise<boolean> {
  let position = start;
  while (position < end) {
    const head = await window.read(position, 8);
    if (position + 8 > end || head.length < 8) return false;
    const length = head.readUInt32LE(4);
    if (position + 8 + length > end) return false;
    const next = Math.min(position + 8 + length + (length % 2), end);
    visit(head.toString('latin1', 0, 4), position, next);
    position = next;
  }
  return true;
}
