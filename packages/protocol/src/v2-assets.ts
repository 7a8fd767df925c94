import { z } from 'zod';

/** What Comfy API v2 says of assets, shape for shape (its OpenAPI document, version 2.0.0). */

const timeSchema = z.iso.datetime();

/** `blake3:<64 hex digits>`, in lower case. */
export const contentHashSchema = z.stringFormat('blake3', /^blake3:[0-9a-f]{64}$/);

/** How a caller may write one. */
const givenHashSchema = z
  .string()
  .regex(/^blake3:[0-9a-fA-F]{64}$/, 'is written blake3:<64 hex digits>')
  .transform((hash) => hash.toLowerCase());

/**
 * Where the caller would place the file: a name, or a path with forward slashes below a root of its own. It is only kept and
 * shown; the bridge never opens it.
 */
export const assetFilePathSchema = z
  .string()
  .min(1, 'is empty')
  .max(512, 'is longer than 512 characters')
  .refine(
    (path) => path.isWellFormed() && !/[\p{Cc}\\]/u.test(path),
    'holds control characters or backslashes',
  )
  .refine((path) => !/^(\/|[a-z]:)/i.test(path), 'must be relative')
  .refine(
    (path) => !path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..'),
    'has an empty segment, "." or ".."',
  );

const tagSchema = z
  .string()
  .min(1, 'is empty')
  .max(64, 'is longer than 64 characters')
  .refine((tag) => tag.isWellFormed() && !/\p{Cc}/u.test(tag), 'holds control characters');

const tagsSchema = z.array(tagSchema).max(16, 'has more than 16 tags');

/** Seconds. */
const expiresInSchema = z
  .int('is a whole number of seconds')
  .min(60, 'is less than 60 seconds')
  .max(604_800, 'is more than 604800 seconds (7 days)');

const secondsAsText = z
  .string()
  .regex(/^\d{1,9}$/, 'is a whole number of seconds')
  .transform(Number)
  .pipe(expiresInSchema);

/** What the sender says; empty and `application/octet-stream` say nothing. */
const contentTypeSchema = z.string().max(200, 'is longer than 200 characters');

/** The text fields of `POST /api/v2/assets`, a multipart form: numbers come as text. */
export const v2AssetFieldsSchema = z.strictObject({
  content_type: contentTypeSchema.optional(),
  file_path: assetFilePathSchema.optional(),
  expected_hash: givenHashSchema.optional(),
  tags: tagsSchema.optional(),
  expires_in: secondsAsText.optional(),
});

/** `POST /api/v2/assets/from-hash`. */
export const v2AssetFromHashSchema = z.strictObject({
  hash: givenHashSchema,
  file_path: assetFilePathSchema.optional(),
  tags: tagsSchema.optional(),
  expires_in: expiresInSchema.optional(),
});

/** The metadata of a resumable upload, as far as it means something: what else clients send is passed over. */
export const resumableMetadataSchema = z.object({
  filename: assetFilePathSchema,
  filetype: contentTypeSchema.nullish(),
  expires_in: secondsAsText.nullish(),
});

export const v2AssetSchema = z.strictObject({
  id: z.uuid(),
  hash: contentHashSchema.nullable(),
  size_bytes: z.int().nonnegative(),
  content_type: z.string().min(1),
  file_path: z.string().nullish(),
  /** On create answers: false when the bytes were there already. */
  created_new: z.boolean().optional(),
  created_at: timeSchema,
  url: z.url({ protocol: /^https?$/ }),
  url_expires_at: timeSchema,
  expires_at: timeSchema.nullish(),
  /** Of outputs: the job that made it. */
  job_id: z.string().nullish(),
});

export type V2Asset = z.infer<typeof v2AssetSchema>;
export type V2AssetFields = z.infer<typeof v2AssetFieldsSchema>;
export type V2AssetFromHash = z.infer<typeof v2AssetFromHashSchema>;
