import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Upload } from 'tus-js-client';
import type { UploadOptions } from 'tus-js-client';
import { expect } from 'vitest';

import { picture } from './_files-fixtures.ts';
import { startBridge } from './_start-bridge.ts';
import type { StartOptions, TestBridge } from './_start-bridge.ts';

/** Over what a plain upload may have in these tests. */
export const big = await picture(1_700, 1_650).png({ compressionLevel: 0 }).toBuffer();
export const start = (options: StartOptions = {}) =>
  startBridge({ sims: 0, ...options, env: { UPLOAD_MAX_SIZE: '1', ...options.env } });
export const partialOf = (dataDir: string) => readdir(join(dataDir, 'partial'));
export const uploadsOf = (dataDir: string) => readdir(join(dataDir, 'uploads'));
export const photoMetadata = { filename: 'deep/big.png', filetype: 'image/png' };
const endpoint = (t: TestBridge) => `${t.url}/api/bridge/uploads`;

export interface Outcome {
  upload: Upload;
  /** Undefined when it was a success. */
  error: Error | undefined;
}

/** Sends with the client as it is; `stopAfter` hangs up once so many bytes are acknowledged. */
export function send(
  t: TestBridge,
  options: Partial<UploadOptions> & { bytes?: Buffer; stopAfter?: number } = {},
): Promise<Outcome> {
  const { bytes = big, stopAfter = Infinity, ...own } = options;
  return new Promise((resolve) => {
    const upload = new Upload(bytes, {
      endpoint: endpoint(t),
      chunkSize: 1024 * 1024,
      metadata: photoMetadata,
      retryDelays: null,
      onSuccess: () => resolve({ upload, error: undefined }),
      onError: (error) => resolve({ upload, error }),
      onChunkComplete: (_size, accepted) => {
        if (accepted < stopAfter) return;
        void upload.abort().then(() => resolve({ upload, error: new Error('stopped') }));
      },
      ...own,
    });
    upload.start();
  });
}

export const idOf = ({ url }: Upload) => url?.split('/').at(-1) ?? '';

/** One step of the protocol by hand. */
export function step(t: TestBridge, method: string, path: string, init: RequestInit = {}) {
  const headers = { connection: 'close', 'tus-resumable': '1.0.0', ...t.credentials, ...init.headers };
  return fetch(`${endpoint(t)}${path}`, { ...init, method, headers });
}

export const toMetadata = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

export async function begin(
  t: TestBridge,
  size = big.length,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await step(t, 'POST', '', {
    headers: { 'upload-length': String(size), 'upload-metadata': toMetadata(photoMetadata), ...headers },
  });
  expect(answer.status, await answer.text()).toBe(201);
  return `/${answer.headers.get('location')?.split('/').at(-1) ?? ''}`;
}

export function patch(t: TestBridge, path: string, offset: number, bytes: Uint8Array, headers = {}) {
  return step(t, 'PATCH', path, {
    headers: {
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
      ...headers,
    },
    body: Uint8Array.from(bytes),
  });
}
