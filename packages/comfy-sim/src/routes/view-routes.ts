import { containedKey, isFileType, splitAnnotation, type StoredFile } from '../file-store.ts';
import { bytes, empty, serverError, type Reply } from '../http-reply.ts';
import { encodeAlpha, encodeColours, encodePreview, parsePreview } from '../view-image.ts';
import type { RouteRequest, Routes } from './route.ts';

const TYPES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  mp4: 'video/mp4',
  webm: 'video/webm',
  wav: 'audio/x-wav',
  mp3: 'audio/mpeg',
  flac: 'audio/x-flac',
  json: 'application/json',
  txt: 'text/plain',
  glb: 'model/gltf-binary',
};

export const viewRoutes: Routes = { 'GET /view': view, 'HEAD /view': view };

async function view({ engine, query, headers }: RouteRequest): Promise<Reply> {
  const asked = query.get('filename');
  if (asked === null) return empty(404);
  const { name, type: suffix } = splitAnnotation(asked);
  if (name === '' || name.startsWith('/') || name.includes('..')) return empty(400);
  const type = suffix ?? query.get('type') ?? 'output';
  if (!isFileType(type)) return empty(400);
  const filename = name.slice(name.lastIndexOf('/') + 1);
  const key = containedKey(query.get('subfolder') ?? '', filename);
  if (key === undefined) return empty(403);
  const file = engine.files.get(type, key);
  if (!file) return empty(404);
  try {
    return await encode(file, filename, query, headers);
  } catch {
    // Something that is no picture, opened as one.
    return serverError();
  }
}

async function encode(
  file: StoredFile,
  filename: string,
  query: URLSearchParams,
  headers: RouteRequest['headers'],
): Promise<Reply> {
  // The real server puts the name there as raw UTF-8; Node takes header bytes as latin1.
  const rawName = Buffer.from(filename, 'utf8').toString('latin1');
  const disposition = { 'content-disposition': `filename="${rawName}"` };
  const channel = query.get('channel') ?? '';
  const preview = query.get('preview');
  if (preview !== null) {
    const format = parsePreview(preview, channel);
    return bytes(await encodePreview(file.bytes, format), {
      ...disposition,
      'content-type': `image/${format.format}`,
    });
  }
  const png = { ...disposition, 'content-type': 'image/png' };
  if (channel === 'rgb') return bytes(await encodeColours(file.bytes), png);
  if (channel === 'a') return bytes(await encodeAlpha(file.bytes), png);
  const extension = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase();
  return fileReply(
    file,
    { ...disposition, 'content-type': TYPES[extension] ?? 'application/octet-stream' },
    headers,
  );
}

/** A plain file: cacheable, and in parts when asked for a range. */
function fileReply(
  { bytes: body, modified }: StoredFile,
  own: Record<string, string>,
  headers: RouteRequest['headers'],
): Reply {
  const etag = `"${modified.toString(16)}-${body.length.toString(16)}"`;
  const common = {
    ...own,
    etag,
    'last-modified': new Date(modified).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
  const range = parseRange(headers.range, body.length);
  if (range === undefined) return bytes(body, common);
  if (range === 'unsatisfiable')
    return { status: 416, headers: { 'content-range': `bytes */${body.length}` }, body: '' };
  const part = body.subarray(range.from, range.to + 1);
  return bytes(part, { ...common, 'content-range': `bytes ${range.from}-${range.to}/${body.length}` }, 206);
}

function parseRange(
  header: string | undefined,
  size: number,
): { from: number; to: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [first = '', last = ''] = found.slice(1);
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  return from >= size || from > to ? 'unsatisfiable' : { from, to };
}
