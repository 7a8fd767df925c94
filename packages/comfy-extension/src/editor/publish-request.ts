import type { ApiPrompt } from '@comfy-bridge/protocol';

import { isRecord } from '../marks/is-record.ts';

export interface PublishRequest {
  /** With the base path, if the bridge has one. */
  address: string;
  token: string;
  alias: string;
  workflow: ApiPrompt;
  description: string;
  /** Base64 of a picture. */
  thumbnail: string | undefined;
  /** Publish although the alias is there already. */
  replace: boolean;
}

export type PublishAnswer =
  | {
      kind: 'published';
      version: string;
      canRun: boolean;
      /** Why no ComfyUI can run it, and what each of them lacks. */
      obstacles: string[];
      problems: string[];
    }
  | { kind: 'alias-taken' }
  | { kind: 'bad-address' }
  | { kind: 'unreachable' }
  | { kind: 'blocked-by-cors' }
  | { kind: 'timed-out' }
  | { kind: 'unauthorized' }
  | { kind: 'not-a-bridge' }
  | { kind: 'refused'; status: number; message: string };

const deadlineMs = 20_000;

/** Publishes a workflow. Never throws; what the bridge or the network say is the answer. */
export async function publish(
  request: PublishRequest,
  fetcher: typeof fetch = fetch,
): Promise<PublishAnswer> {
  const base = toBase(request.address);
  if (base === undefined) return { kind: 'bad-address' };
  const url = `${base}/api/bridge/workflows/${encodeURIComponent(request.alias)}`;
  try {
    const response = await fetcher(url, {
      method: 'PUT',
      headers: {
        'Content-Type': 'application/json',
        ...(request.token !== '' && { Authorization: `Bearer ${request.token}` }),
      },
      body: JSON.stringify({
        workflow: request.workflow,
        // Null: only when nothing is published under this alias.
        ...(!request.replace && { previous: null }),
        ...(request.description !== '' && { description: request.description }),
        ...(request.thumbnail !== undefined && { thumbnail: request.thumbnail }),
      }),
      signal: AbortSignal.timeout(deadlineMs),
    });
    return await readAnswer(response);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return { kind: 'timed-out' };
    return await whyUnreachable(base, fetcher);
  }
}

/** The address without its last slash; undefined when it is none. */
export function toBase(address: string): string | undefined {
  const url = URL.parse(address.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

async function readAnswer(response: Response): Promise<PublishAnswer> {
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 401 || response.status === 403) return { kind: 'unauthorized' };
  if (!isRecord(body)) return { kind: 'not-a-bridge' };
  if (response.ok) {
    return {
      kind: 'published',
      version: typeof body['version'] === 'string' ? body['version'] : '',
      canRun: body['can_run'] === true,
      obstacles: [...toLines(body['obstacles']), ...toVerdicts(body['backends'])],
      problems: toLines(body['problems']),
    };
  }
  const error = body['error'];
  if (!isRecord(error) || typeof error['message'] !== 'string') return { kind: 'not-a-bridge' };
  // Other conflicts (a name that differs in case only, an alias file that cannot be read) are none that replacing would solve.
  const { details } = error;
  if (error['code'] === 'conflict' && isRecord(details) && typeof details['current'] === 'string')
    return { kind: 'alias-taken' };
  return { kind: 'refused', status: response.status, message: error['message'] };
}

function toLines(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.filter((item): item is string => typeof item === 'string' && item !== '');
}

/** One line for each ComfyUI of the bridge that cannot run the workflow. */
function toVerdicts(backends: unknown): string[] {
  return (Array.isArray(backends) ? backends : []).flatMap((verdict: unknown) => {
    if (!isRecord(verdict) || verdict['can_run'] === true) return [];
    const { backend, reason } = verdict;
    return typeof backend === 'string' && typeof reason === 'string' ? `${backend}: ${reason}` : [];
  });
}

/** A browser does not say why a request failed. A request whose answer nobody reads gets through where only CORS is in the way. */
async function whyUnreachable(base: string, fetcher: typeof fetch): Promise<PublishAnswer> {
  try {
    await fetcher(`${base}/api/bridge/workflows`, {
      mode: 'no-cors',
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { kind: 'blocked-by-cors' };
  } catch {
    return { kind: 'unreachable' };
  }
}
