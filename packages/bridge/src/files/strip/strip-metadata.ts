import type { FileWindow } from '../file-window.ts';
import { walkBmp } from '../walk-bmp.ts';
import { cut, sortEdits } from './edits.ts';
import { stripAvif } from './strip-avif.ts';
import { stripEbml } from './strip-ebml.ts';
import { stripFlac } from './strip-flac.ts';
import { stripGif } from './strip-gif.ts';
import { stripJpeg } from './strip-jpeg.ts';
import { stripMp4 } from './strip-mp4.ts';
import { stripOgg } from './strip-ogg.ts';
import type { StripPlan } from './strip-plan.ts';
import { stripPng } from './strip-png.ts';
import { stripAac, stripMp3 } from './strip-tags.ts';
import { stripTiff } from './strip-tiff.ts';
import { stripWav } from './strip-wav.ts';
import { stripWebp } from './strip-webp.ts';

type Strip = (window: FileWindow) => Promise<StripPlan>;

const byType: Readonly<Record<string, Strip>> = {
  'image/png': stripPng,
  'image/jpeg': stripJpeg,
  'image/webp': stripWebp,
  'image/gif': stripGif,
  'image/bmp': stripBmp,
  'image/tiff': stripTiff,
  'image/avif': stripAvif,
  'video/mp4': stripMp4,
  'video/quicktime': stripMp4,
  'audio/mp4': stripMp4,
  'video/webm': stripEbml,
  'video/x-matroska': stripEbml,
  'audio/mpeg': stripMp3,
  'audio/aac': stripAac,
  'audio/wav': stripWav,
  'audio/flac': stripFlac,
  'audio/ogg': stripOgg,
  'video/ogg': stripOgg,
};

/**
 * What is to be taken out of a file so that it tells nothing but its picture or sound: places, names, dates, comments, what
 * programs wrote for themselves, what lies behind its end. Nothing is coded anew, and a picture keeps how it is to be turned. Types
 * that carry nothing of the kind are left as they are. The edits are those of `sortEdits`.
 */
export async function planStrip(contentType: string, window: FileWindow): Promise<StripPlan> {
  const strip = byType[contentType];
  if (strip === undefined) return { ok: true, edits: [] };
  const plan = await strip(window);
  return plan.ok ? { ok: true, edits: sortEdits(plan.edits) } : plan;
}

/** BMP has no room for words; only something behind its pixels. */
async function stripBmp(window: FileWindow): Promise<StripPlan> {
  const walked = await walkBmp(window);
  return walked.ok ? { ok: true, edits: [cut(walked.end, window.size)] } : walked;
}
