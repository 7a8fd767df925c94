import { bridgeUrl } from './base-url.ts';
import { parseLossless } from './parse-lossless.ts';
import { currentSecret } from './secret.ts';

/** The bridge said no (`status` ≥ 400), or did not answer (`status` 0). The message is for people. */
export class CallError extends Error {
  readonly status: number;
  /** Seconds until it may be tried again, where the bridge said so. */
  readonly retryAfter: number | undefined;
  /** What is wrong, in a form for programs: `error.details` of the answer. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    status: number,
    retryAfter?: number,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'CallError';
    this.status = status;
    this.retryAfter = retryAfter;
    this.details = details;
  }
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON; a `Blob`, `FormData` or text as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Until the whole answer is there; default 30 s. */
  deadlineMs?: number;
}

/** A call whose answer is JSON (or nothing). Throws `CallError`; `AbortError` when `signal` ended it. */
export async function call<T = unknown>(path: string, options: CallOptions = {}): Promise<T> {
  const response = await request(path, options);
  const text = await readText(response);
  // The bridge answers what its own schemas say; the page is built with them.
  return (text === '' ? undefined : parseLossless(text)) as T;
}

/** A call whose answer is a file. */
export async function callForBlob(path: string, options: CallOptions = {}): Promise<Blob> {
  const response = await request(path, { deadlineMs: 600_000, ...options });
  return await orLost(() => response.blob());
}

async function request(path: string, options: CallOptions): Promise<Response> {
  const { method = 'GET', body, headers, signal, deadlineMs = 30_000 } = options;
  const deadline = AbortSignal.timeout(deadlineMs);
  const isRaw =
    body === undefined || typeof body === 'string' || body instanceof Blob || body instanceof FormData;
  const response = await orLost(
    () =>
      fetch(bridgeUrl(path), {
        method,
        headers: {
          Authorization: `Bearer ${currentSecret()}`,
          ...(isRaw ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
      }),
    signal,
  );
  if (!response.ok) throw toCallError(response, await readText(response));
  return response;
}

async function readText(response: Response): Promise<string> {
  return await orLost(() => response.text());
}

/** The bridge's refusals say what to do; what a proxy in between says is a page for people. */
function toCallError(response: Response, text: string): CallError {
  const retryAfter = Number(response.headers.get('Retry-After'));
  return new CallError(
    readDetail(text) ?? `${response.status} ${response.statusText}`.trim(),
    response.status,
    retryAfter > 0 ? retryAfter : undefined,
    readDetails(text),
  );
}

/** `{"detail": …}` of the compatibility API, `{"error": {"message": …}}` of the others. */
export function readDetail(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) return undefined;
    if ('detail' in answer && typeof answer.detail === 'string') return answer.detail;
    if (!('error' in answer) || typeof answer.error !== 'object' || answer.error === null) return undefined;
    return 'message' in answer.error && typeof answer.error.message === 'string'
      ? answer.error.message
      : undefined;
  } catch {
    return undefined;
  }
}

/** `{"error": {"details": …}}`, where there is one. */
function readDetails(text: string): Readonly<Record<string, unknown>> {
  try {
    const answer = JSON.parse(text) as { error?: { details?: Record<string, unknown> | null } } | null;
    return answer?.error?.details ?? {};
  } catch {
    return {};
  }
}

async function orLost<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new CallError('', 0);
  }
}
