import { assetReferenceSchema } from '@comfy-bridge/protocol';
import type { MediaFormat } from '@comfy-bridge/protocol';
import { z } from 'zod';

/** A file that a caller named by its asset id, where it lies and what it is. */
export interface AssetFile {
  savedName: string;
  contentType: string;
}

const uuidSchema = z.uuid();
const assetObjectSchema = z.strictObject({ asset: z.uuid() });

/**
 * The asset that a caller's value stands for: its id, `{"asset": "<id>"}`, or the `core/ASSET` object of a graph. Undefined
 * for anything else, a saved name included. In lower case, as ids are kept.
 */
export function toAssetId(value: unknown): string | undefined {
  if (typeof value === 'string') return uuidSchema.safeParse(value).data?.toLowerCase();
  const id =
    assetObjectSchema.safeParse(value).data?.asset ?? assetReferenceSchema.safeParse(value).data?.info.id;
  return id?.toLowerCase();
}

/** What loaders take beside their own kind: players of sound take films, players of films take moving pictures. */
const alsoTaken: Readonly<Record<MediaFormat, RegExp>> = {
  image: /^image\//,
  mask: /^image\//,
  video: /^video\/|^image\/(gif|webp)$/,
  audio: /^(audio|video)\//,
};

/** Whether a file of that content can be of any use for an input of that format. */
export function isOfFormat(contentType: string, format: MediaFormat): boolean {
  return alsoTaken[format].test(contentType);
}
