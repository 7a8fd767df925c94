import { BridgeError } from './errors.ts';
import { mayRepeat, newKey } from './http.ts';
import type { Http } from './http.ts';
import type { NamedBlob } from './name-file.ts';
import { backOff, sleep } from './waiting.ts';
import type { Asset } from './wire.ts';

export interface UploadOptions {
  signal?: AbortSignal | undefined;
}

export interface UploadDeps {
  http: Http;
  /** Larger files go in pieces. */
  singleUploadBytes: number;
}

/** Bytes of one piece: what is lost at most when the line breaks. */
const pieceBytes = 8 * 1024 * 1024;

/** Uploads a file; the id of the asset. In pieces, which go on where they stopped, when it is large or refused as too large. */
export async function uploadFile(
  { http, singleUploadBytes }: UploadDeps,
  file: NamedBlob,
  options: UploadOptions = {},
): Promise<string> {
  if (file.blob.size > singleUploadBytes) return uploadInPieces(http, file, options);
  try {
    return await uploadAtOnce(http, file, options);
  } catch (error) {
    if (hasCode(error, 'too_large')) return uploadInPieces(http, file, options);
    throw error;
  }
}

async function uploadAtOnce(
  http: Http,
  { blob, name }: NamedBlob,
  { signal }: UploadOptions,
): Promise<string> {
  const form = new FormData();
  // Empty says nothing.
  form.append('content_type', blob.type);
  form.append('file_path', name);
  form.append('file', blob, name);
  const send = () =>
    http.json<Asset>('POST', 'api/v2/assets', { body: form, signal, bytes: blob.size, key: newKey() });
  try {
    return (await send()).id;
  } catch (error) {
    // An earlier try has arrived and its answer was lost. The same bytes again cost nothing but the way there.
    if (hasCode(error, 'idempotency_key_reuse')) return (await send()).id;
    throw error;
  }
}

/** tus 1.0 (tus.io/protocols/resumable-upload): create, then append at the offset that the server has. */
async function uploadInPieces(
  http: Http,
  { blob, name }: NamedBlob,
  { signal }: UploadOptions,
): Promise<string> {
  const tus = { 'Tus-Resumable': '1.0.0' };
  const metadata = `filename ${toBase64(name)}${blob.type === '' ? '' : `,filetype ${toBase64(blob.type)}`}`;
  const link = await http.request('POST', 'api/bridge/uploads', readLocation, {
    headers: { ...tus, 'Upload-Length': String(blob.size), 'Upload-Metadata': metadata },
    signal,
  });

  let offset = 0;
  let failures = 0;
  let until = Infinity;
  while (offset < blob.size) {
    const piece = blob.slice(offset, offset + pieceBytes);
    const headers = {
      ...tus,
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
    };
    try {
      offset = await http.once('PATCH', link, readOffset, {
        body: piece,
        headers,
        signal,
        bytes: piece.size,
      });
      failures = 0;
    } catch (error) {
      // Another offset than the server's (`conflict`) may be repeated too, from there.
      if (!mayRepeat(error)) throw error;
      if (failures === 0) until = Date.now() + http.retryMs;
      const waitMs = backOff(failures, error.retryAfter);
      if (Date.now() + waitMs > until) throw error;
      failures += 1;
      await sleep(waitMs, signal);
      const reached = await http.request('HEAD', link, readOffset, { headers: tus, signal });
      if (reached > offset) failures = 0;
      offset = reached;
    }
  }
  // The id of the upload is the id of the asset.
  return link.slice(link.lastIndexOf('/') + 1);
}

async function readLocation({ headers }: Response): Promise<string> {
  return headers.get('location') ?? missing('Location');
}

async function readOffset({ headers }: Response): Promise<number> {
  const offset = headers.get('upload-offset');
  return offset === null ? missing('Upload-Offset') : Number(offset);
}

function missing(name: string): never {
  throw new BridgeError('not_a_bridge', `an upload was answered without ${name}`);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof BridgeError && error.code === code;
}

function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
