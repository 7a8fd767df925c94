import { createHash, hash } from 'node:crypto';

import { ComfyError } from './comfy-error.ts';
import { type CallOptions, type ComfyHttp, MEGABYTE, parseJsonAnswer, unusableStatus } from './comfy-http.ts';
import { toTexts } from './read-fields.ts';

export interface FingerprintOptions extends CallOptions {
  /** Folders asked for at a time; default one, for a machine that is at work. */
  lanes?: number;
}

/** No models: ComfyUI's own configurations, and every file of every node pack, for which it walks the whole tree. */
const noModels = new Set(['configs', 'custom_nodes']);
const maxFolders = 64;
const maxListBytes = 8 * MEGABYTE;

/** A hash over the lists of all model folders. */
export async function fetchModelsFingerprint(
  http: ComfyHttp,
  { lanes = 1, ...call }: FingerprintOptions = {},
): Promise<string> {
  const answer = await http.send({ ...call, method: 'GET', path: '/models' });
  if (answer.status === 404) return '';
  if (answer.status !== 200) throw unusableStatus(answer.status, 'GET /models');
  const folders = toTexts(parseJsonAnswer(answer, 'GET /models'))
    .filter((folder) => !noModels.has(folder))
    .slice(0, maxFolders);
  const hashes = new Map<string, string>();
  const waiting = folders.values();
  async function askFolders(): Promise<void> {
    for (const folder of waiting) hashes.set(folder, await hashList(http, folder, call));
  }
  await Promise.all(Array.from({ length: lanes }, askFolders));
  const all = createHash('sha256');
  for (const folder of folders) all.update(`${JSON.stringify(folder)} ${hashes.get(folder)}\n`);
  return all.digest('base64url');
}

/** A folder that cannot be listed is as good as another state of it. */
async function hashList(http: ComfyHttp, folder: string, call: CallOptions): Promise<string> {
  try {
    const path = `/models/${encodeURIComponent(folder)}`;
    const { status, body } = await http.send({ ...call, method: 'GET', path, maxBytes: maxListBytes });
    return status === 200 ? hash('sha256', body) : String(status);
  } catch (error) {
    if (error instanceof ComfyError && error.failure === 'too-large') return error.failure;
    throw error;
  }
}
