import { setTimeout as sleep } from 'node:timers/promises';
import { ComfyError } from './comfy-error.ts';
import { type CallOptions, type ComfyHttp, parseJsonAnswer, unusableStatus } from './comfy-http.ts';
import { isRecord } from '../lib/is-record.ts';
import type { PromptQueue } from './read-queue.ts';

/**
 * `canceled`: it has left the backend's queue (one that finished in that very moment counts too; its history tells).
 * `not-found`: it was not there. `requested`: told to stop, but still running when the tries were spent.
 */
export type CancelOutcome = 'canceled' | 'not-found' | 'requested';

export interface CancelParts {
  http: ComfyHttp;
  readQueue: (options: CallOptions) => Promise<PromptQueue>;
  /** What was learned of the server, kept over calls. */
  support: { jobsApi: boolean };
}

export interface CancelOptions extends CallOptions {
  /** Rounds of looking and asking again; default 12, about 10 s. */
  tries?: number;
  /** Before the second look, ms; grows by half each round up to a second. Default 100. */
  pollMs?: number;
}

/**
 * Takes a prompt off the queue, or interrupts it if it runs: it alone, never a neighbour.
 *
 * ComfyUI's interrupt is a flag that is cleared when a prompt starts, so one that comes between dequeuing and starting is
 * lost: hence the looking again. Versions before 0.3.57 ignore which prompt is meant and interrupt whatever runs: hence
 * only when the queue shows that what runs is ours, and nothing else.
 */
export async function cancelPrompt(
  parts: CancelParts,
  promptId: string,
  options: CancelOptions = {},
): Promise<CancelOutcome> {
  const { tries = 12, ...call } = options;
  let found = parts.support.jobsApi && (await cancelByJobsApi(parts, promptId, call));
  let pause = options.pollMs ?? 100;

  for (let round = 1; ; round += 1) {
    const queue = await parts.readQueue(call);
    const pending = queue.pending.includes(promptId);
    const running = queue.running.includes(promptId);
    if (!pending && !running) return found ? 'canceled' : 'not-found';
    found = true;
    if (pending) await post(parts.http, '/queue', { delete: [promptId] }, call);
    if (running && queue.running.length === 1)
      await post(parts.http, '/interrupt', { prompt_id: promptId }, call);
    if (round >= tries) return 'requested';
    // What was pending is gone at once; what runs stops at its next step.
    if (running || round > 1) await pauseFor(pause, options.signal);
    pause = Math.min(pause * 1.5, 1000);
  }
}

/** Atomic where it exists (2026): no other prompt can be hit. True when the server says that it canceled something. */
async function cancelByJobsApi(parts: CancelParts, promptId: string, call: CallOptions): Promise<boolean> {
  const path = `/api/jobs/${encodeURIComponent(promptId)}/cancel`;
  const answer = await parts.http.send({ ...call, ...jsonBody({}), method: 'POST', path });
  if (answer.status !== 200) {
    // A server that has the route answers an unknown job with JSON; one that has not, with aiohttp's plain text.
    const known = answer.contentType.startsWith('application/json');
    if ((answer.status === 404 || answer.status === 405) && !known) parts.support.jobsApi = false;
    return false;
  }
  const json = parseJsonAnswer(answer, 'POST /api/jobs/{id}/cancel');
  return isRecord(json) && json['cancelled'] === true;
}

/** For routes that answer with an empty body: only the status counts. */
export async function post(http: ComfyHttp, path: string, body: unknown, call: CallOptions): Promise<void> {
  const answer = await http.send({ ...call, ...jsonBody(body), method: 'POST', path });
  if (answer.status !== 200) throw unusableStatus(answer.status, `POST ${path}`);
}

function jsonBody(body: unknown): { headers: Record<string, string>; body: string } {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new ComfyError('aborted', 'cancel: given up', { cause });
  }
}
