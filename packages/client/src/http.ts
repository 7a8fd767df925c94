import { BridgeError, ConnectionError, toRefusal } from './errors.ts';
import { backOff, onAbort, sleep } from './waiting.ts';

export interface HttpOptions {
  url: string;
  apiKey?: string | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** How long a request is repeated while the server cannot be reached or says that it is busy. */
  retryMs: number;
}

export interface RequestOptions {
  body?: RequestInit['body'] | undefined;
  headers?: Headers;
  signal?: AbortSignal | undefined;
  /** Bytes that go over the line: the deadline grows with them. */
  bytes?: number | undefined;
  /** Of a POST; default a new one, the same for every repeat. */
  key?: string | undefined;
  retryMs?: number | undefined;
}

type Headers = Readonly<Record<string, string>> | undefined;
type Init = Omit<RequestInit, 'headers'> & { headers: Headers };
type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH';

export interface Http {
  /** One try; throws a `BridgeError`. */
  once<T>(
    method: Method,
    link: string,
    read: (response: Response) => Promise<T>,
    options?: RequestOptions,
  ): Promise<T>;
  /**
   * Repeats what the network or a busy server refused. Every POST carries an `Idempotency-Key`. Throws a `BridgeError`, or the
   * reason of the signal.
   */
  request<T>(
    method: Method,
    link: string,
    read: (response: Response) => Promise<T>,
    options?: RequestOptions,
  ): Promise<T>;
  /** As `request`, for an answer in JSON. */
  json<T>(method: 'GET' | 'POST', link: string, options?: RequestOptions): Promise<T>;
  /** An answer whose body is read afterwards, until `controller` is aborted. One try. */
  open(link: string, controller: AbortController, headers?: Headers): Promise<Response>;
  readonly retryMs: number;
}

const answerMs = 30_000;
/** The slowest line that is waited for, in bytes a second. */
const slowest = 50_000;

/** Requests to one bridge. A link is what the server gave, or a path below the bridge's URL without a leading slash. */
export function createHttp({ url, apiKey, fetch, retryMs }: HttpOptions): Http {
  const base = parseBase(url);
  const call: typeof globalThis.fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));

  /** Host-relative links have the path of the bridge in them already. The key goes to the bridge alone. */
  async function ask(link: string, { headers, ...init }: Init): Promise<Response> {
    const target = new URL(link, base);
    // Behind a proxy that ends TLS, a bridge that does not trust it takes itself for http.
    if (target.host === base.host) target.protocol = base.protocol;
    const isOurs = apiKey !== undefined && target.origin === base.origin;
    return call(target.href, {
      ...init,
      headers: { ...headers, ...(isOurs && { Authorization: `Bearer ${apiKey}` }) },
    });
  }

  const unreachable = (cause: unknown) =>
    new ConnectionError(`no answer from ${base.origin}: is the bridge running there?`, cause);

  async function open(link: string, controller: AbortController, headers?: Headers): Promise<Response> {
    const timer = setTimeout(() => controller.abort(), answerMs);
    try {
      return await ask(link, { headers, signal: controller.signal });
    } catch (error) {
      throw unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function once<T>(
    method: Method,
    link: string,
    read: (response: Response) => Promise<T>,
    { body, headers, signal, bytes = 0 }: RequestOptions = {},
  ): Promise<T> {
    const controller = new AbortController();
    const stop = onAbort(signal, () => controller.abort());
    const timer = setTimeout(() => controller.abort(), answerMs + (bytes / slowest) * 1000);
    try {
      const response = await ask(link, { method, headers, signal: controller.signal, ...(body && { body }) });
      if (!response.ok) throw await toRefusal(response);
      return await read(response);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof BridgeError ? error : unreachable(error);
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  async function request<T>(
    method: Method,
    link: string,
    read: (response: Response) => Promise<T>,
    options: RequestOptions = {},
  ): Promise<T> {
    const { signal, key = method === 'POST' ? newKey() : undefined } = options;
    const headers = { ...options.headers, ...(key !== undefined && { 'Idempotency-Key': key }) };
    const until = Date.now() + (options.retryMs ?? retryMs);
    for (let failures = 0; ; failures += 1) {
      try {
        return await once(method, link, read, { ...options, headers });
      } catch (error) {
        signal?.throwIfAborted();
        if (!mayRepeat(error)) throw error;
        const waitMs = backOff(failures, error.retryAfter);
        if (Date.now() + waitMs > until) throw error;
        await sleep(waitMs, signal);
      }
    }
  }

  return {
    once,
    request,
    json: <T>(method: Method, link: string, options?: RequestOptions) =>
      request(method, link, parseJson<T>, options),
    open,
    retryMs,
  };
}

/** True where the same request may succeed later, and cannot be done twice by that. */
export function mayRepeat(error: unknown): error is BridgeError {
  if (!(error instanceof BridgeError)) return false;
  if (error instanceof ConnectionError) return true;
  // Another machine or model has to be set up first: telling it now helps more than waiting.
  if (error.code === 'no_capable_backend') return false;
  // `conflict`: the first of two requests with the same key is still under way.
  return [429, 502, 503, 504].includes(error.status) || error.code === 'conflict';
}

/** The answer's JSON. Throws a `BridgeError` when it is none: then something else answers at that address. */
async function parseJson<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new BridgeError('not_a_bridge', 'no bridge answers there: check the URL', {
      status: response.status,
      cause,
    });
  }
}

/** Unique for every request, also where a page that is not served over TLS has no `randomUUID`. */
export function newKey(): string {
  const { crypto } = globalThis as { crypto?: { randomUUID?: () => string } };
  return crypto?.randomUUID?.() ?? [0, 0, 0].map(() => Math.random().toString(36).slice(2)).join('-');
}

/** With a slash at its end, so that relative links stay below it. */
function parseBase(url: string): URL {
  try {
    const base = new URL(url);
    if (!/^https?:$/.test(base.protocol)) throw new TypeError('not http');
    base.search = base.hash = '';
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    return base;
  } catch (cause) {
    throw new BridgeError('bad_url', 'url must be an address such as http://127.0.0.1:8000', { cause });
  }
}
