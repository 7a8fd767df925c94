import sharp from 'sharp';

import { findFileType } from './file-types.ts';
import type { AllowedTypes } from './allowed-types.ts';
import { checkFile } from './check-file.ts';
import type { ImageLimits } from './check-image.ts';
import { createBufferWindow } from './file-window.ts';
import { sniffContent } from './sniff-content.ts';

/** `extension` with dot. */
export type MadeThumbnail = { ok: true; content: Buffer; extension: string } | { ok: false; reason: string };

/** What any browser shows. */
const allowed: AllowedTypes = new Map(
  ['image/png', 'image/jpeg', 'image/webp'].flatMap((contentType) => {
    const type = findFileType(contentType);
    const extension = type?.extensions[0];
    return type === undefined || extension === undefined ? [] : [[contentType, { type, extension }] as const];
  }),
);

/** Pixels of its longer side. Lists carry the pictures of all workflows. */
const maxSide = 512;

/**
 * The safety check of uploads for a picture without a name: its content says what it is. What is kept is made small, and anew:
 * ComfyUI writes the whole graph into its pictures, and everybody may look at a thumbnail.
 */
export async function makeThumbnail(content: Buffer, limits: ImageLimits): Promise<MadeThumbnail> {
  const { type } = content.length === 0 ? {} : await sniffContent(content, createBufferWindow(content));
  const known = type === undefined ? undefined : allowed.get(type.contentType);
  if (known === undefined) return { ok: false, reason: 'it is no PNG, JPEG or WebP' };
  const { extension } = known;
  const file = { content, size: content.length, fileName: `thumbnail${extension}`, declaredType: undefined };
  const checked = await checkFile(file, { ...limits, allowed });
  if (!checked.ok) return checked;
  // Without a word about it, sharp leaves out all metadata, and of an animation takes the first picture.
  const small = await sharp(content, { sequentialRead: true })
    .autoOrient()
    .resize(maxSide, maxSide, { fit: 'inside', withoutEnlargement: true })
    .toBuffer();
  return { ok: true, content: small, extension };
}
