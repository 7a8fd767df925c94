import { Agent, request } from 'node:http';

import type { ReadAnswer } from './_openapi.ts';
import type { FuzzedRequest } from './_openapi-requests.ts';

export interface Sender extends Disposable {
  /** The answer; of an event stream, what comes first. Rejects when there is none within ten seconds. */
  send(fuzzed: FuzzedRequest): Promise<ReadAnswer>;
  /** With the ids of earlier answers in their places. */
  fill(fuzzed: FuzzedRequest): FuzzedRequest;
}

const maxIds = 30;
const answerMs = 10_000;
const streamMs = 50;

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** How answers tell what an id is of. */
const tellTales = {
  job: new RegExp(`/api/v2/jobs/(${uuid})"`, 'g'),
  group: new RegExp(`/groups/(${uuid})"`, 'g'),
  upload: new RegExp(`^/api/bridge/uploads/(${uuid})`, 'g'),
  asset: new RegExp(`/assets/(${uuid})/content|"id":"(${uuid})","hash"`, 'g'),
  saved: new RegExp(`"(${uuid}\\.[a-z]+)"`, 'g'),
  hash: /"(blake3:[0-9a-f]{64})"/g,
} as const;

/** Sends what no well-behaved client sends, over a few kept connections, and remembers the ids that answers hold. */
export function createSender(url: string, credentials: Readonly<Record<string, string>> = {}): Sender {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const known = new Map<string, string[]>();

  function remember(answer: ReadAnswer): void {
    const told = `${answer.headers['location'] ?? ''}"${answer.body.toString('latin1', 0, 100_000)}`;
    for (const [kind, pattern] of Object.entries(tellTales)) {
      const found = [...told.matchAll(pattern)].flatMap(([, one, other]) => one ?? other ?? []);
      known.set(kind, [...new Set([...(known.get(kind) ?? []), ...found])].slice(-maxIds));
    }
  }

  const place = (text: string) =>
    text.replaceAll(/\{\{(\w+):(\d+)\}\}/g, (_, kind: string, at: string) => {
      const ids = known.get(kind) ?? [];
      return ids[Number(at) % Math.max(1, ids.length)] ?? 'none';
    });

  function fill(fuzzed: FuzzedRequest): FuzzedRequest {
    const body =
      fuzzed.body?.includes('{{') === true ? Buffer.from(place(fuzzed.body.toString())) : fuzzed.body;
    return { ...fuzzed, url: place(fuzzed.url), body };
  }

  function send({ method, url: path, headers, body }: FuzzedRequest): Promise<ReadAnswer> {
    return new Promise((resolve, reject) => {
      const call = request({
        ...{ agent, hostname, port, path, method: method.toUpperCase() },
        headers: {
          ...headers,
          ...credentials,
          ...(body !== undefined && { 'content-length': String(body.length) }),
        },
        signal: AbortSignal.timeout(answerMs),
      });
      call.on('error', reject);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
        const end = () => {
          const flat = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
          const answer = {
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(flat),
            body: Buffer.concat(chunks),
          };
          remember(answer);
          resolve(answer);
        };
        response.on('error', isStream ? () => {} : reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', end);
        // It may go on for as long as its job: what stands at its beginning is enough.
        if (isStream) setTimeout(() => (end(), call.destroy()), streamMs);
      });
      call.end(body);
    });
  }

  return { send, fill, [Symbol.dispose]: () => agent.destroy() };
}
