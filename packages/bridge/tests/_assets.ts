import { v2AssetSchema, v2ErrorSchema } from '@comfy-bridge/protocol';
import type { V2Asset } from '@comfy-bridge/protocol';
import { expect } from 'vitest';

import { hashContent } from '../src/lib/content-hash.ts';
import { picture } from './_files-fixtures.ts';
import { expectNoSecrets } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

export const png = await picture().png().toBuffer();
export const otherPng = await picture(20, 20).png().toBuffer();
/** Larger than what is kept in memory whole. */
export const largePng = await picture(700, 500).png({ compressionLevel: 0 }).toBuffer();
export const pngHash = hashContent(png);

export interface SentAsset {
  bytes?: Uint8Array;
  /** In this order; the file stands where `file` does, at the end if nowhere. */
  fields?: [name: string, value: string][];
  fileName?: string;
  headers?: Record<string, string>;
}

export const photo: [string, string][] = [
  ['content_type', 'image/png'],
  ['file_path', 'photo.png'],
];

export function postAsset(t: TestBridge, sent: SentAsset = {}): Promise<Response> {
  const { bytes = png, fields = photo, fileName = 'photo.png', headers = {} } = sent;
  const form = new FormData();
  const order = fields.some(([name]) => name === 'file') ? fields : [...fields, ['file', ''] as const];
  for (const [name, value] of order) {
    if (name === 'file') form.append('file', new Blob([Uint8Array.from(bytes)]), fileName);
    else form.append(name, value);
  }
  return t.post('/api/v2/assets', undefined, { body: form, headers });
}

export function fromHash(
  t: TestBridge,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return t.post('/api/v2/assets/from-hash', body, { headers });
}

export const as = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** The asset of an answer that must have that status. */
export async function assetOf(answer: Response | Promise<Response>, status: number): Promise<V2Asset> {
  const settled = await answer;
  const text = await settled.text();
  expect(settled.status, text).toBe(status);
  return v2AssetSchema.parse(JSON.parse(text));
}

/** The reason of a refusal in the words of the contract. */
export async function refused(
  answer: Response | Promise<Response>,
  status: number,
  code: string,
): Promise<string> {
  const settled = await answer;
  const text = await settled.text();
  expect(settled.status, text).toBe(status);
  expectNoSecrets(text);
  const { error } = v2ErrorSchema.parse(JSON.parse(text));
  expect(error.code).toBe(code);
  return error.message;
}
