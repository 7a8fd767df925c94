import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { Pool } from 'undici';
import { WebSocket } from 'ws';

import type { JobOutcome } from './_direct-client.ts';
import { isOwnResult, nextColour, tinyWorkflow } from './_tiny-job.ts';

const jobTimeoutMs = 60_000;

/** What the bridge's clients do: a fresh clientId for each job, and either a WebSocket of its own or polling. */
export function createBridgeClient(url: string, connections: number) {
  const pool = new Pool(url, { connections });

  async function submit(clientId: string, colour: number): Promise<void> {
    const body = JSON.stringify({ workflow: tinyWorkflow, '1/color': colour });
    const answer = await pool.request({
      method: 'POST',
      path: `/generate-based-workflow?clientId=${clientId}`,
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`refused with ${answer.statusCode}: ${text}`);
  }

  async function fetchResult(clientId: string, colour: number): Promise<JobOutcome> {
    const answer = await pool.request({ method: 'GET', path: `/history?clientId=${clientId}` });
    const body = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode !== 200) return 'lost';
    const contentType = String(answer.headers['content-type']);
    const boundary = contentType.slice(contentType.indexOf('boundary=') + 'boundary='.length);
    const file = body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf(`\r\n--${boundary}--`));
    return isOwnResult(file, colour) ? 'right' : 'wrong';
  }

  /** Socket, submit, wait for the end, fetch. */
  async function runJobOverSocket(): Promise<JobOutcome> {
    const clientId = randomUUID();
    const colour = nextColour();
    const ending = openSocket(url, clientId);
    try {
      await ending.connected;
      await submit(clientId, colour);
      if ((await ending.ended) !== 'closed') return 'lost';
      return await fetchResult(clientId, colour);
    } catch {
      return 'lost';
    } finally {
      ending.terminate();
    }
  }

  /** Submit, ask again and again, fetch. */
  async function runJobByPolling(pollMs: number): Promise<JobOutcome> {
    const clientId = randomUUID();
    const colour = nextColour();
    const deadline = performance.now() + jobTimeoutMs;
    try {
      await submit(clientId, colour);
      while (performance.now() < deadline) {
        await delay(pollMs);
        const answer = await pool.request({ method: 'GET', path: `/execution-info?clientId=${clientId}` });
        const text = await answer.body.text();
        if (text.includes('"closed"')) return await fetchResult(clientId, colour);
        if (answer.statusCode !== 200 || text.includes('"error"')) return 'lost';
      }
      return 'lost';
    } catch {
      return 'lost';
    }
  }

  return { runJobOverSocket, runJobByPolling, [Symbol.asyncDispose]: () => pool.destroy() };
}

interface JobSocket {
  connected: Promise<void>;
  /** `closed`, `error`, or `gone` when the socket ended without either. */
  ended: Promise<string>;
  terminate(): void;
}

function openSocket(url: string, clientId: string): JobSocket {
  const connected = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  connected.promise.catch(() => {});
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=${clientId}`, {
    perMessageDeflate: false,
  });
  const timer = setTimeout(() => socket.terminate(), jobTimeoutMs);
  socket.on('message', (data: Buffer) => {
    const { status }: { status: string } = JSON.parse(data.toString());
    if (status === 'connected') connected.resolve();
    if (status === 'closed' || status === 'error') ended.resolve(status);
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    clearTimeout(timer);
    connected.reject(new Error('the socket closed'));
    ended.resolve('gone');
  });
  return { connected: connected.promise, ended: ended.promise, terminate: () => socket.terminate() };
}
