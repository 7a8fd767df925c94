import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import { Pool } from 'undici';
import { WebSocket } from 'ws';

import { isOwnResult, nextColour, tinyPrompt } from './_tiny-job.ts';

export type JobOutcome = 'right' | 'wrong' | 'lost';

const jobTimeoutMs = 60_000;

interface Backend {
  url: string;
  pool: Pool;
  socket: WebSocket;
  /** Prompt id to who waits for its end. */
  waiting: Map<string, () => void>;
}

/** What programs do without a bridge: one lasting socket per backend, and the least loaded backend for each job. */
export async function createDirectClient(urls: readonly string[], connections: number) {
  const clientId = randomUUID();
  const backends = await Promise.all(urls.map((url) => connect(url, clientId, connections)));

  async function runJob(): Promise<JobOutcome> {
    const [backend] = [...backends].sort((a, b) => a.waiting.size - b.waiting.size);
    if (backend === undefined) throw new Error('there is no backend');
    const colour = nextColour();
    const promptId = randomUUID();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    backend.waiting.set(promptId, () => resolve(true));
    const timer = setTimeout(() => resolve(false), jobTimeoutMs);
    try {
      await send(backend.pool, 'POST', '/prompt', {
        prompt: tinyPrompt(colour),
        prompt_id: promptId,
        client_id: clientId,
      });
      if (!(await promise)) return 'lost';
      const history = await send(backend.pool, 'GET', `/history/${promptId}`);
      const fileName = /"filename": ?"([^"]+)"/.exec(history.toString())?.[1] ?? '';
      const query = new URLSearchParams({ filename: fileName, subfolder: '', type: 'output' });
      const png = await send(backend.pool, 'GET', `/view?${query.toString()}`);
      return isOwnResult(png, colour) ? 'right' : 'wrong';
    } catch {
      return 'lost';
    } finally {
      clearTimeout(timer);
      backend.waiting.delete(promptId);
    }
  }

  return {
    runJob,
    async [Symbol.asyncDispose]() {
      for (const { socket } of backends) socket.terminate();
      await Promise.all(backends.map(({ pool }) => pool.destroy()));
    },
  };
}

async function connect(url: string, clientId: string, connections: number): Promise<Backend> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=${clientId}`, {
    perMessageDeflate: false,
  });
  const waiting = new Map<string, () => void>();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    const text = data.toString();
    // The end of a prompt is `executing` with no node; only that frame is worth parsing.
    if (!text.includes('"executing"')) return;
    const { data: event }: { data: { node: string | null; prompt_id: string } } = JSON.parse(text);
    if (event.node === null) waiting.get(event.prompt_id)?.();
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  return { url, pool: new Pool(url, { connections }), socket, waiting };
}

async function send(pool: Pool, method: 'GET' | 'POST', path: string, body?: unknown): Promise<Buffer> {
  const answer = await pool.request({
    method,
    path,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode}`);
  return bytes;
}
