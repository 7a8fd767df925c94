import { checkTail } from './check-tail.ts';
import { identifyPayload, isZipArchive } from './find-payload.ts';
import type { FileWindow } from './file-window.ts';
import { walkRiff } from './walk-riff.ts';

/** Why a sound or video whose magic bytes are known is refused; undefined when it is fine. */
export async function checkMedia(contentType: string, window: FileWindow): Promise<string | undefined> {
  if (contentType === 'audio/wav') {
    const walked = await walkRiff(window, 'WAVE');
    return walked.ok ? await checkTail(window, walked.end) : walked.reason;
  }
  if (await isZipArchive(window)) return 'a ZIP archive is hidden in the file';
  if (contentType === 'video/mp4' || contentType === 'audio/mp4' || contentType === 'video/quicktime') {
    return await checkBoxes(window);
  }
  return undefined;
}

/** MP4 and its kin are a chain of boxes, `size(4) type(4)`, a size of 1 followed by 8 bytes of size, 0: to the end. */
async function checkBoxes(window: FileWindow): Promise<string | undefined> {
  let position = 0;
  while (position + 8 <= window.size) {
    const head = await window.read(position, 16);
    const short = head.readUInt32BE(0);
    if (short === 0 && /^[ -~\xa9]{4}$/.test(head.toString('latin1', 4, 8))) return undefined;
    const size = short === 1 && head.length === 16 ? Number(head.readBigUInt64BE(8)) : short;
    if (size < 8 || !/^[ -~\xa9]{4}$/.test(head.toString('latin1', 4, 8))) break;
    position += size;
  }
  if (position > window.size) return undefined; // cut off at the end: players cope, and nothing is hidden
  const payload = identifyPayload(await window.read(position, 4096));
  return payload === undefined ? undefined : `${payload} is hidden behind the end of the file`;
}
