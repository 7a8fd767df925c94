import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { workflowsDir } from '../../bridge/tests/_start-bridge.ts';
import type { BridgeOptions } from '../src/bridge.ts';
import { createBridge } from '../src/node.ts';

/** No connection is kept for later: a test file that leaves none open has closed what it started. */
export const closingFetch: typeof fetch = (input, init = {}) =>
  fetch(input, {
    ...init,
    headers: { ...Object.fromEntries(new Headers(init.headers)), connection: 'close' },
  });

/** A client that comes back soon. */
export function clientOf(url: string, options: Partial<BridgeOptions> = {}) {
  return createBridge({ url, fetch: closingFetch, pollMs: 50, retryMs: 15_000, ...options });
}

export interface SentRequest {
  method: string;
  path: string;
  headers: Headers;
  signal: AbortSignal | null | undefined;
  body: unknown;
}

/** `fetch` that remembers what was asked, and may answer, wait or break off instead. */
export function watchedFetch(
  answer: (request: SentRequest, send: () => Promise<Response>) => Promise<Response> | Response = (_, send) =>
    send(),
): { fetch: typeof fetch; requests: SentRequest[] } {
  const requests: SentRequest[] = [];
  return {
    requests,
    fetch: async (input, init = {}) => {
      const { pathname } = new URL(String(input));
      const request = {
        method: init.method ?? 'GET',
        path: pathname,
        headers: new Headers(init.headers),
        signal: init.signal,
        body: typeof init.body === 'string' ? JSON.parse(init.body) : init.body,
      };
      requests.push(request);
      return answer(request, () => closingFetch(input, init));
    },
  };
}

/** A picture of the samples. */
export function readPicture(name = 'sample_a.png'): Promise<Buffer<ArrayBuffer>> {
  return readFile(join(workflowsDir, 'input', name));
}

export function isJobEvents({ path }: SentRequest): boolean {
  return path.endsWith('/events');
}

export function isSubmit({ method, path }: SentRequest): boolean {
  return method === 'POST' && /\/api\/bridge\/workflows\/[^/]+\/jobs$/.test(path);
}
