import { posix } from 'node:path';
import { containedKey, isFileType, splitAnnotation, type FileStore } from '../file-store.ts';
import { empty, json, serverError, type Reply } from '../http-reply.ts';
import { parseMultipart, type UploadForm } from '../multipart.ts';
import { str } from '../python-values.ts';
import { applyAlpha } from '../view-image.ts';
import type { FileType } from '../wire.ts';
import { isRecord } from '../wire.ts';
import type { RouteRequest, Routes } from './route.ts';

export const uploadRoutes: Routes = {
  'POST /upload/image': async (request) => {
    const form = await parseMultipart(request.headers, request.body);
    return form ? store(request.engine.files, form, form.file?.bytes) : empty(400);
  },
  'POST /upload/mask': async (request) => {
    const form = await parseMultipart(request.headers, request.body);
    if (!form) return empty(400);
    const original = form.file && originalOf(request, form.fields.original_ref);
    if (original === undefined) return form.file ? serverError() : empty(400);
    if ('status' in original) return original;
    // As in the real server: a reference to nothing stores nothing and still answers with a name.
    const bytes = original.bytes && form.file ? await applyAlpha(original.bytes, form.file.bytes) : undefined;
    return store(request.engine.files, form, bytes);
  },
};

/**
 * Stores under the given name, unless another file has it: then `name (1).ext` and so on. The same content under the
 * same name is not stored twice. `bytes` may differ from the uploaded ones (a mask merged into its picture).
 */
function store(files: FileStore, { fields, file }: UploadForm, bytes: Uint8Array | undefined): Reply {
  const type = fields.type ?? 'input';
  if (!isFileType(type)) return serverError();
  // Without a file name the field is taken for text, which has no file to read.
  if (file?.field === 'image' && file.filename === '') return serverError();
  if (file?.field !== 'image') return empty(400);
  const subfolder = fields.subfolder ?? '';
  const overwrite = fields.overwrite === 'true' || fields.overwrite === '1';
  const target = freeName(files, type, subfolder, file.filename, overwrite ? undefined : file.bytes);
  if (!target) return empty(400);
  if (bytes && !target.duplicate) files.put(type, target.key, bytes);
  return json({ name: target.name, subfolder, type });
}

function freeName(
  files: FileStore,
  type: FileType,
  subfolder: string,
  wanted: string,
  content: Uint8Array | undefined,
) {
  const { name: stem, ext } = posix.parse(wanted);
  const folder = posix.dirname(wanted) === '.' ? '' : `${posix.dirname(wanted)}/`;
  for (let copy = 0; ; copy += 1) {
    const name = copy === 0 ? wanted : `${folder}${stem} (${copy})${ext}`;
    const path = posix.normalize(name);
    const key = path.startsWith('..') || path.startsWith('/') ? undefined : containedKey(subfolder, path);
    if (key === undefined) return undefined;
    const existing = files.get(type, key);
    if (!existing || !content) return { name, key, duplicate: false };
    if (Buffer.compare(existing.bytes, content) === 0) return { name, key, duplicate: true };
  }
}

function originalOf(
  { engine }: RouteRequest,
  text: string | undefined,
): { bytes: Uint8Array | undefined } | Reply | undefined {
  const reference = parseObject(text);
  if (typeof reference?.filename !== 'string') return undefined;
  const { name, type: suffix } = splitAnnotation(reference.filename);
  if (name === '' || name.startsWith('/') || name.includes('..')) return empty(400);
  const type = suffix ?? str(reference.type ?? 'output');
  if (!isFileType(type)) return empty(400);
  const key = containedKey(str(reference.subfolder ?? ''), name);
  return key === undefined ? empty(403) : { bytes: engine.files.get(type, key)?.bytes };
}

function parseObject(text = ''): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // The real handler fails on it too, with a 500.
    return undefined;
  }
}
