import { jobGroupSchema, v2JobSchema } from '@comfy-bridge/protocol';
import type { JobGroupView, V2Job } from '@comfy-bridge/protocol';
import { expect } from 'vitest';

import { expectNoSecrets, parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

export interface SendOptions {
  workflow?: string;
  query?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  [field: string]: unknown;
}

/** `POST /api/bridge/workflows/{alias}/jobs`; fields other than the options go into the body. */
export function send(
  t: TestBridge,
  inputs: Record<string, unknown> | undefined,
  { workflow = 'text-to-image', query = '', headers = {}, signal, ...fields }: SendOptions = {},
): Promise<Response> {
  const body = { ...(inputs !== undefined && { inputs }), ...fields };
  return t.post(`/api/bridge/workflows/${encodeURIComponent(workflow)}/jobs${query}`, body, {
    headers,
    ...(signal !== undefined && { signal }),
  });
}

/** An answer that must be a job exactly as the contract has it. */
export async function readJob(answer: Response | Promise<Response>, status = 201): Promise<V2Job> {
  const { headers, status: actual } = await answer;
  const body = await parseBody(answer);
  expect(actual, JSON.stringify(body)).toBe(status);
  const job = v2JobSchema.parse(body);
  expect(headers.get('location') ?? job.urls.self).toBe(job.urls.self);
  return job;
}

export async function readGroup(answer: Response | Promise<Response>, status = 200): Promise<JobGroupView> {
  const { status: actual } = await answer;
  const body = await parseBody(answer);
  expect(actual, JSON.stringify(body)).toBe(status);
  return jobGroupSchema.parse(body);
}

export interface Refusal {
  status: number;
  code: string;
  message: string;
  details?: Record<string, unknown>;
}

/** A refusal in the envelope, fit for a caller. */
export async function readRefusal(answer: Response | Promise<Response>): Promise<Refusal> {
  const { status } = await answer;
  const body = await parseBody<{ error: Omit<Refusal, 'status'> }>(answer);
  expect(body).toEqual({
    error: expect.objectContaining({ code: expect.any(String), message: expect.any(String) }),
  });
  expectNoSecrets(JSON.stringify(body));
  return { status, ...body.error };
}
