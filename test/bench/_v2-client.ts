import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import type { JobOutcome } from './_direct-client.ts';
import { isOwnResult, nextColour, tinyPrompt } from './_tiny-job.ts';

const jobTimeoutMs = 60_000;

export interface V2Times {
  outcome: JobOutcome;
  /** From before the submit to the first event of the stream, ms. */
  firstEventMs: number;
  /** From before the submit to the last byte of the result, ms. */
  resultMs: number;
}

/** What the official SDKs do with Comfy API v2: submit a graph, read its events to the end, fetch the asset. */
export function createV2Client(url: string, connections: number) {
  const pool = new Pool(url, { connections });

  async function submit(graph: unknown): Promise<{ id: string; events: string; self: string }> {
    const answer = await pool.request({
      method: 'POST',
      path: '/api/v2/jobs',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ workflow: graph }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 201) throw new Error(`refused with ${answer.statusCode}: ${text}`);
    const { id, urls }: { id: string; urls: { events: string; self: string } } = JSON.parse(text);
    return { id, ...urls };
  }

  async function read(path: string): Promise<Buffer> {
    const answer = await pool.request({ method: 'GET', path });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode !== 200) throw new Error(`GET ${path}: ${answer.statusCode}`);
    return bytes;
  }

  async function openEvents(path: string): Promise<Dispatcher.ResponseData> {
    return await pool.request({ method: 'GET', path, bodyTimeout: jobTimeoutMs });
  }

  /** Submit, events to the end, the job, its asset. */
  async function runJob(): Promise<V2Times> {
    const startedAt = performance.now();
    const colour = nextColour();
    const since = () => performance.now() - startedAt;
    const job = await submit(tinyPrompt(colour));
    const stream = await openEvents(job.events);
    let firstEventMs = 0;
    for await (const _ of stream.body) if (firstEventMs === 0) firstEventMs = since();
    const { outputs }: { outputs: { id: string }[] } = JSON.parse((await read(job.self)).toString());
    const [output] = outputs;
    if (output === undefined) return { outcome: 'lost', firstEventMs, resultMs: since() };
    const png = await read(`/api/v2/assets/${output.id}/content`);
    const resultMs = since();
    return { outcome: isOwnResult(png, colour) ? 'right' : 'wrong', firstEventMs, resultMs };
  }

  return { submit, openEvents, runJob, [Symbol.asyncDispose]: () => pool.destroy() };
}
