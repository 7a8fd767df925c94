import { z } from 'zod';
import {
  checkableContentTypes,
  findFileType,
  findFileTypeByExtension,
  toContentType,
  type FileType,
} from './file-types.ts';

export interface AllowedType {
  type: FileType;
  /** The extension that saved files of this type get, with dot. */
  extension: string;
}

/** What may be uploaded and delivered, by content type. */
export type AllowedTypes = ReadonlyMap<string, AllowedType>;

export type ParsedAllowedTypes =
  /** `ignored`: entries of types that nobody here can check, so that they are refused as before; one line each. */
  { ok: true; allowed: AllowedTypes; ignored: string[] } | { ok: false; errors: string[] };

/** Types that can run as a program or a script where they are opened, whatever an operator would allow. */
const neverAllowed =
  /svg|x?html|xml|script|pdf|zip|rar|tar|7z|compress|msdownload|executable|x-sh|x-php|java|flash/;

const mapSchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

/**
 * Reads `ALLOWED_MIME_TYPE_EXTENSION_MAP`: MIME type to extension. Besides the original's `".png"` it takes `"png"`,
 * `".jpg,.jpeg"` and lists. Every usual extension of an allowed type is accepted (`.jpeg` beside `.jpg`); the first one
 * written is the one that saved files get. `errors` names each wrong entry and what is allowed. A type that cannot be checked is
 * left out with a word about it rather than refused: an old configuration still starts, and no unchecked file gets in.
 */
export function parseAllowedTypes(value: unknown): ParsedAllowedTypes {
  const parsed = mapSchema.safeParse(value);
  if (!parsed.success) {
    return {
      ok: false,
      errors: ['must be an object of MIME type to extension, such as {"image/png": ".png"}'],
    };
  }
  const allowed = new Map<string, AllowedType>();
  const errors: string[] = [];
  const ignored: string[] = [];
  for (const [name, extensions] of Object.entries(parsed.data)) {
    const type = findFileType(name);
    if (type === undefined) {
      ignored.push(uncheckable(name));
      continue;
    }
    const entry = parseEntry(name, type, extensions);
    if (typeof entry === 'string') errors.push(entry);
    else if (!allowed.has(entry.type.contentType)) allowed.set(entry.type.contentType, entry);
  }
  if (errors.length === 0 && allowed.size === 0)
    errors.push('must allow at least one type, such as {"image/png": ".png"}');
  return errors.length > 0 ? { ok: false, errors } : { ok: true, allowed, ignored };
}

function uncheckable(name: string): string {
  return neverAllowed.test(toContentType(name))
    ? `"${name}" is never accepted, because such files can carry programs or scripts`
    : `"${name}" cannot be checked; these can: ${checkableContentTypes().join(', ')}`;
}

function parseEntry(name: string, type: FileType, value: string | string[]): AllowedType | string {
  const extensions = (typeof value === 'string' ? value.split(',') : value)
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '')
    .map((item) => (item.startsWith('.') ? item : `.${item}`));
  const foreign = extensions.find((extension) => !type.extensions.includes(extension));
  const extension = extensions[0];
  if (foreign !== undefined || extension === undefined) {
    return `"${name}": "${foreign ?? ''}" is no extension of it; allowed are ${type.extensions.join(', ')}`;
  }
  return { type, extension };
}

function toAllowed(contentTypes: readonly string[]): AllowedTypes {
  const allowed = new Map<string, AllowedType>();
  for (const contentType of contentTypes) {
    const type = findFileType(contentType);
    const extension = type?.extensions[0];
    if (type !== undefined && extension !== undefined) allowed.set(type.contentType, { type, extension });
  }
  return allowed;
}

/** What is allowed without a configuration: the media that ComfyUI loads and makes, and plain text. */
export const defaultAllowedTypes: AllowedTypes = toAllowed([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/bmp',
  'video/mp4',
  'video/quicktime',
  'video/webm',
  'audio/mpeg',
  'audio/wav',
  'audio/flac',
  'audio/ogg',
  'audio/mp4',
  'text/plain',
]);

/** What a ComfyUI may hand out: the allowed types, and the passive formats that only its own nodes make. */
export function toResultAllowed(allowed: AllowedTypes): AllowedTypes {
  const extra = ['text/plain', 'application/json', 'model/gltf-binary', 'application/x-safetensors'];
  return new Map([...toAllowed(extra), ...allowed]);
}

/** The allowed type of an extension (with dot, any case). */
export function findAllowedByExtension(allowed: AllowedTypes, extension: string): AllowedType | undefined {
  const type = findFileTypeByExtension(extension);
  return type === undefined ? undefined : allowed.get(type.contentType);
}

/** The allowed type of a MIME type under any of its names. */
export function findAllowedByContentType(
  allowed: AllowedTypes,
  contentType: string,
): AllowedType | undefined {
  return allowed.get(toContentType(contentType));
}

/** The extensions of all allowed types, for messages. */
export function listAllowedExtensions(allowed: AllowedTypes): string[] {
  return [...allowed.values()].flatMap(({ type }) => type.extensions);
}
