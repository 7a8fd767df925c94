import type { FileWindow } from '../file-window.ts';
import { walkOneJpeg } from '../walk-jpeg.ts';
import { cut, type Edit } from './edits.ts';
import {
  readExifOrientation,
  readXmpOrientation,
  writeOrientation,
  type Orientation,
} from './orientation.ts';
import type { StripPlan } from './strip-plan.ts';

interface Segment {
  marker: number;
  start: number;
  end: number;
}

const app0 = 0xe0;
const app1 = 0xe1;
const app2 = 0xe2;
const app14 = 0xee;
const comment = 0xfe;

/** JFIF without its thumbnail: version and density are kept. */
const jfifLength = 18;
const adobeLength = 16;

/**
 * JPEG: comments and application data go (EXIF, XMP, IPTC, previews), and every picture behind the first; the colour profile, the
 * colour transform of Adobe and, as an EXIF segment of its own, the orientation stay.
 */
export async function stripJpeg(window: FileWindow): Promise<StripPlan> {
  const segments: Segment[] = [];
  const walked = await walkOneJpeg(window, 0, (marker, start, end) => {
    if ((marker >= app0 && marker <= 0xef) || marker === comment) segments.push({ marker, start, end });
  });
  if (!walked.ok) return walked;
  const edits: Edit[] = [cut(walked.end, window.size)];
  const dropped: Segment[] = [];
  let afterJfif = 2;
  for (const segment of segments) {
    const { marker, start, end } = segment;
    const head = Buffer.from(await window.read(start, 22));
    const name = head.toString('latin1', 4, 16);
    if (marker === app0 && start === 2 && name.startsWith('JFIF\0') && end - start >= jfifLength) {
      edits.push(...withoutThumbnail(head, segment));
      afterJfif = end;
    } else if (marker !== app14 && !(marker === app2 && name === 'ICC_PROFILE\0')) {
      dropped.push(segment);
    } else if (marker === app14 && (!name.startsWith('Adobe') || end - start !== adobeLength)) {
      dropped.push(segment);
    }
  }
  const wanted = toSegment(writeOrientation(await findOrientation(window, dropped)));
  let isThere = false;
  for (const { start, end } of dropped) {
    if (wanted !== undefined && start === afterJfif && end - start === wanted.length) {
      isThere = (await window.read(start, wanted.length)).equals(wanted);
      if (isThere) continue;
    }
    edits.push(cut(start, end));
  }
  if (wanted !== undefined && !isThere) edits.push({ start: afterJfif, end: afterJfif, put: wanted });
  return { ok: true, edits };
}

function withoutThumbnail(head: Buffer, { start, end }: Segment): Edit[] {
  if (end - start === jfifLength && head.readUInt16BE(16) === 0) return [];
  const bare = Buffer.from(head.subarray(0, jfifLength));
  bare.writeUInt16BE(jfifLength - 2, 2);
  bare.writeUInt16BE(0, 16);
  return [{ start, end, put: bare }];
}

async function findOrientation(
  window: FileWindow,
  segments: readonly Segment[],
): Promise<Orientation | undefined> {
  let inXmp: Orientation | undefined;
  for (const { marker, start, end } of segments) {
    if (marker !== app1) continue;
    const data = await window.read(start + 4, end - start - 4);
    if (data.toString('latin1', 0, 6) === 'Exif\0\0') {
      const orientation = readExifOrientation(data);
      if (orientation !== undefined) return orientation;
    } else if (data.toString('latin1', 0, 5) === 'http:') {
      inXmp ??= readXmpOrientation(data);
    }
  }
  return inXmp;
}

function toSegment(exif: Buffer | undefined): Buffer | undefined {
  if (exif === undefined) return undefined;
  const head = Buffer.from('\xff\xe1\0\0Exif\0\0', 'latin1');
  head.writeUInt16BE(2 + 6 + exif.length, 2);
  return Buffer.concat([head, exif]);
}
