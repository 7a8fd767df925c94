import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { expect } from 'vitest';

import { isTerminal } from '../src/jobs/job.ts';
import type { Job } from '../src/jobs/job.ts';
import type { TestBridge } from './_start-bridge.ts';

/** Submits a workflow that must be accepted. */
export async function submit(
  t: TestBridge,
  clientId: string,
  body: Record<string, unknown> = {},
): Promise<{ detail: string; jobId: string }> {
  const answer = await t.post(`/generate-based-workflow?clientId=${clientId}`, {
    workflow: 'text-to-image',
    ...body,
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return JSON.parse(text);
}

/** The answer's JSON, as what the test expects it to be. */
export async function parseBody<T>(answer: Response | Promise<Response>): Promise<T> {
  return (await (await answer).json()) as T;
}

/** The reason of a refusal; fails unless it is exactly `{"detail": "…"}` as JSON, fit for a client. */
export async function detailOf(answer: Response): Promise<string> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const body: unknown = await answer.json();
  expect(body).toEqual({ detail: expect.any(String) });
  const { detail } = body as { detail: string };
  expectNoSecrets(detail);
  return detail;
}

/** What a client must never see: stack traces, file paths, addresses of a ComfyUI. */
export function expectNoSecrets(text: string): void {
  expect(text).not.toMatch(/\bat \S+ \(|node_modules|Traceback|\.ts:\d|\.py\b/);
  expect(text).not.toMatch(/\/(tmp|srv|home|usr|var|work)\//);
  expect(text).not.toMatch(/127\.0\.0\.1|localhost|ECONN|:\d{4,5}\b/);
}

export interface UploadPart {
  bytes: Uint8Array;
  fileName: string;
  type?: string;
  /** The identifier; default `file`. */
  name?: string;
}

export function toForm(parts: readonly UploadPart[]): FormData {
  const form = new FormData();
  for (const { bytes, fileName, type = 'image/png', name = 'file' } of parts) {
    form.append(name, new Blob([Uint8Array.from(bytes)], { type }), fileName);
  }
  return form;
}

export function upload(t: TestBridge, parts: readonly UploadPart[], query = ''): Promise<Response> {
  return t.post(`/upload${query}`, undefined, { body: toForm(parts) });
}

/** Uploads one file that must be accepted; returns its saved name. */
export async function uploadOne(t: TestBridge, bytes: Uint8Array, fileName = 'cat.png'): Promise<string> {
  const answer = await upload(t, [{ bytes, fileName, type: '' }]);
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const saved: Record<string, string> = JSON.parse(text);
  expect(Object.keys(saved)).toEqual(['file']);
  return saved['file'] ?? '';
}

/** The client's latest job once it has ended, now or later. */
export async function ended(t: TestBridge, clientId: string): Promise<Job> {
  const finished = t.nextEvent('job:finished', ({ job }) => job.clientId === clientId);
  finished.catch(() => {});
  const job = await t.bridge.ledger.latestOf(clientId);
  return job !== undefined && isTerminal(job.state.status) ? job : (await finished).job;
}

/** Submits a job and lets the first simulated backend finish it. */
export async function runJob(t: TestBridge, clientId: string, images = 1): Promise<void> {
  await submit(t, clientId);
  const run = await t.sim.nextPrompt();
  await run.finish({ images });
  expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
}

/** Lets every simulated backend do one job well: until then a backend gets one at a time. */
export async function proveBackends(t: TestBridge): Promise<void> {
  for (const [index] of t.sims.entries()) await submit(t, `prove-${index}`);
  for (const sim of t.sims) await (await sim.nextPrompt()).finish({ images: 1 });
  for (const [index] of t.sims.entries()) await ended(t, `prove-${index}`);
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An upgrade request that is expected to be answered with plain HTTP. */
export function upgrade(url: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(url.replace(/^ws/, 'http'), {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    call.on('error', reject);
    call.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
    });
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    call.end();
  });
}

export interface RawConnection extends Disposable {
  readonly socket: Socket;
  /** Everything that came until the other side ended it. */
  readonly received: Promise<string>;
  /** What came once it matches; rejects when the connection ends before, or after ten seconds. */
  until(pattern: RegExp): Promise<string>;
}

/** A TCP connection to the bridge, for requests that no well-behaved client sends. */
export function rawConnection(t: Pick<TestBridge, 'url'>): RawConnection {
  const { hostname, port } = new URL(t.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  const received = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
  async function until(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const text = Buffer.concat(chunks).toString('latin1');
      if (pattern.test(text)) resolve(text);
    };
    socket.on('data', look);
    look();
    void received.then((text) => reject(new Error(`the connection ended after ${JSON.stringify(text)}`)));
    const timer = setTimeout(() => reject(new Error(`waited 10 s for ${String(pattern)}`)), 10_000);
    return promise.finally(() => clearTimeout(timer));
  }
  return { socket, received, until, [Symbol.dispose]: () => socket.destroy() };
}
