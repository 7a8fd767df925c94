import { Agent, request } from 'undici';

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
  text: string;
  /** The `detail` of a JSON answer; empty when there is none. */
  detail: string;
}

/** HTTP calls as a client makes them: one connection each, with a time limit. Rejects when no whole answer came. */
export interface Calls extends AsyncDisposable {
  get(path: string): Promise<Answer>;
  post(path: string, json?: unknown): Promise<Answer>;
  upload(path: string, form: FormData): Promise<Answer>;
}

export interface CallsOptions {
  withinMs?: number;
  /** Sent with each: what shows who is calling. */
  credentials?: Readonly<Record<string, string>>;
}

export function createCalls(
  url: () => string,
  { withinMs = 10_000, credentials = {} }: CallsOptions = {},
): Calls {
  const agent = new Agent({ pipelining: 0, connect: { timeout: 3_000 } });

  async function send(method: 'GET' | 'POST', path: string, json?: unknown): Promise<Answer> {
    const { statusCode, headers, body } = await request(`${url()}${path}`, {
      method,
      dispatcher: agent,
      signal: AbortSignal.timeout(withinMs),
      headers: { ...credentials, ...(json !== undefined && { 'content-type': 'application/json' }) },
      ...(json !== undefined && {
        body: typeof json === 'string' ? json : JSON.stringify(json),
      }),
    });
    return toAnswer(statusCode, headers, Buffer.from(await body.arrayBuffer()));
  }

  return {
    get: (path) => send('GET', path),
    post: (path, json) => send('POST', path, json),
    async upload(path, form) {
      const answer = await fetch(`${url()}${path}`, {
        method: 'POST',
        body: form,
        headers: { ...credentials, connection: 'close' },
        signal: AbortSignal.timeout(withinMs),
      });
      return toAnswer(
        answer.status,
        Object.fromEntries(answer.headers),
        Buffer.from(await answer.arrayBuffer()),
      );
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function toAnswer(status: number, headers: Answer['headers'], body: Buffer): Answer {
  const text = body.toString('utf8');
  return { status, headers, body, text, detail: readDetail(text) };
}

function readDetail(text: string): string {
  if (!text.startsWith('{')) return '';
  try {
    const { detail }: { detail?: unknown } = JSON.parse(text);
    return typeof detail === 'string' ? detail : '';
  } catch {
    return '';
  }
}
