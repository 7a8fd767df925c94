import type { ImageLimits } from './check-image.ts';
import { checkTail } from './check-tail.ts';
import type { FileContent } from './file-content.ts';
import { identifyPayload, isZipArchive } from './find-payload.ts';
import type { FileWindow } from './file-window.ts';
import { judgeMedia } from './probe/judge-media.ts';
import type { MediaLimits } from './probe/judge-media.ts';
import type { MediaProbe } from './probe/media-probe.ts';
import { planStrip } from './strip/strip-metadata.ts';
import { walkRiff } from './walk-riff.ts';

export interface MediaPolicy extends Pick<MediaLimits, 'maxSeconds' | 'codecs'> {
  probe: MediaProbe['probe'];
}

interface UncheckedMedia {
  content: FileContent;
  contentType: string;
  kind: 'audio' | 'video';
  window: FileWindow;
}

/**
 * Why a sound or video whose magic bytes are known is refused; undefined when it is fine. Its parts must fit together, so that
 * what tells of it can be taken out, and a parser must find what plays, within the limits.
 */
export async function checkMedia(
  { content, contentType, kind, window }: UncheckedMedia,
  policy: ImageLimits & { media?: MediaPolicy },
): Promise<string | undefined> {
  const hidden = await findHidden(contentType, window);
  if (hidden !== undefined) return hidden;
  const stripped = await planStrip(contentType, window);
  if (!stripped.ok) return stripped.reason;
  const { media, maxPixels, maxDimension } = policy;
  if (media === undefined) return 'sounds and videos cannot be checked here';
  const { probe, maxSeconds, codecs } = media;
  const probed = await probe(content, window.size, contentType);
  return judgeMedia(probed, kind, { maxSeconds, codecs, maxPixels, maxDimension });
}

async function findHidden(contentType: string, window: FileWindow): Promise<string | undefined> {
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
