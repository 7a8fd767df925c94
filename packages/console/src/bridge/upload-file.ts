import type { V2Asset } from '@comfy-bridge/protocol';

import { bridgeUrl } from './base-url.ts';
import { CallError, call } from './call.ts';
import { currentSecret } from './secret.ts';
import { sendByXhr } from './send-by-xhr.ts';

export interface UploadRun {
  /** 0 to 1 */
  onProgress(share: number): void;
  signal: AbortSignal;
}

/** One file on its way to the bridge. */
export interface FileUpload {
  /**
   * Until the bridge has it. After a `CallError` with status 0 (the line was lost) it may be called again: a large file goes on
   * where it was.
   */
  run(run: UploadRun): Promise<V2Asset>;
}

/** From here on a file goes in pieces, so that a lost line does not cost all of it. */
const resumableFrom = 32_000_000;
const pieceBytes = 8_000_000;
const uploadsPath = 'api/bridge/uploads';
const tus = { 'Tus-Resumable': '1.0.0' };

/** `maxBytes`: what the bridge takes in one request. */
export function createFileUpload(file: File, { maxBytes }: { maxBytes: number }): FileUpload {
  const name = toFilePath(file.name);
  return file.size >= Math.min(resumableFrom, maxBytes + 1)
    ? createPieceUpload(file, name)
    : { run: (run) => sendWhole(file, name, run) };
}

async function sendWhole(file: File, name: string, { onProgress, signal }: UploadRun): Promise<V2Asset> {
  const body = new FormData();
  body.append('file_path', name);
  body.append('file', file, name);
  const { text } = await sendByXhr({
    method: 'POST',
    path: 'api/v2/assets',
    body,
    signal,
    onProgress: (sent) => onProgress(Math.min(1, sent / file.size)),
  });
  return JSON.parse(text) as V2Asset;
}

/** By the tus protocol 1.0.0: create, send pieces from where the bridge says that it is, read the asset. */
function createPieceUpload(file: File, name: string): FileUpload {
  let path: string | undefined;

  async function begin(signal: AbortSignal): Promise<string> {
    const metadata = [
      `filename ${toBase64(name)}`,
      ...(file.type ? [`filetype ${toBase64(file.type)}`] : []),
    ];
    const { header } = await sendByXhr({
      method: 'POST',
      path: uploadsPath,
      headers: { ...tus, 'Upload-Length': String(file.size), 'Upload-Metadata': metadata.join(',') },
      body: new Blob(),
      signal,
      onProgress() {},
    });
    const id = header('Location')?.split('/').at(-1);
    if (id === undefined || id === '') throw new CallError('', 0);
    return `${uploadsPath}/${id}`;
  }

  /** How much of it the bridge has; undefined when it knows nothing of it any more. */
  async function offsetOf(known: string, signal: AbortSignal): Promise<number | undefined> {
    try {
      return await askOffset(known, signal);
    } catch (error) {
      if (error instanceof CallError && (error.status === 404 || error.status === 410)) return undefined;
      throw error;
    }
  }

  return {
    async run({ onProgress, signal }) {
      let offset = path === undefined ? undefined : await offsetOf(path, signal);
      if (path === undefined || offset === undefined) {
        path = await begin(signal);
        offset = 0;
      }
      const own = path;
      while (offset < file.size) {
        const from: number = offset;
        const { header } = await sendByXhr({
          method: 'PATCH',
          path: own,
          headers: {
            ...tus,
            'Upload-Offset': String(from),
            'Content-Type': 'application/offset+octet-stream',
          },
          body: file.slice(from, from + pieceBytes),
          signal,
          onProgress: (sent) => onProgress(Math.min(1, (from + sent) / file.size)),
        });
        const next = Number(header('Upload-Offset'));
        // Whatever stands in between and does not know the protocol must not keep this going for ever.
        if (!(next > from)) throw new CallError('', 0);
        offset = next;
      }
      return await call<V2Asset>(own, { signal });
    },
  };
}

async function askOffset(path: string, signal: AbortSignal): Promise<number> {
  const { headers } = await callForHead(path, signal);
  const offset = Number(headers.get('Upload-Offset'));
  if (!Number.isSafeInteger(offset)) throw new CallError('', 0);
  return offset;
}

async function callForHead(path: string, signal: AbortSignal): Promise<Response> {
  try {
    const response = await fetch(bridgeUrl(path), {
      method: 'HEAD',
      headers: { ...tus, Authorization: `Bearer ${currentSecret()}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    });
    if (!response.ok) throw new CallError('', response.status);
    return response;
  } catch (error) {
    if (signal.aborted || error instanceof CallError) throw error;
    throw new CallError('', 0);
  }
}

/** The name as the bridge takes it: no folders, nothing that cannot be shown, not too long. */
export function toFilePath(name: string): string {
  const cleaned = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}/\\:]/gu, '_')
    .trim();
  const whole = cleaned === '' || cleaned === '.' || cleaned === '..' ? 'file' : cleaned;
  const characters = [...whole];
  // The end is what says the type.
  return characters.length <= 200 ? whole : characters.slice(-200).join('');
}

function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
