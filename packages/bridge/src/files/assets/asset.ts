import { z } from 'zod';

import { parseContentHash } from '../../lib/content-hash.ts';
import type { ContentHash } from '../../lib/content-hash.ts';

/** A record that one account holds over a file of the store; several records may share the file. */
export interface Asset {
  /** A UUID. */
  readonly id: string;
  readonly account: string;
  readonly hash: ContentHash;
  /** bytes */
  readonly size: number;
  /** What the content is. */
  readonly contentType: string;
  /** As the caller placed it; null when it did not. */
  readonly filePath: string | null;
  readonly tags: readonly string[];
  /** The file lies under `uploads/<savedName>`. */
  readonly savedName: string;
  /** ms since the epoch */
  readonly createdAt: number;
  /** ms since the epoch; from then on it is as if it had never been. */
  readonly expiresAt: number;
  /** True when the caller said how long: being used then changes nothing. */
  readonly hasOwnExpiry: boolean;
}

const hashSchema = z.string().transform((text, context): ContentHash => {
  const hash = parseContentHash(text);
  if (hash !== undefined) return hash;
  context.addIssue('not a hash');
  return z.NEVER;
});

const assetSchema = z.object({
  id: z.string(),
  account: z.string(),
  hash: hashSchema,
  size: z.number(),
  contentType: z.string(),
  filePath: z.string().nullable(),
  tags: z.array(z.string()),
  savedName: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  hasOwnExpiry: z.boolean(),
});

/** Undefined for what no version of ours has written. */
export function parseAsset(text: string): Asset | undefined {
  try {
    return assetSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}
