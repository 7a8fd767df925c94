import { randomUUID } from 'node:crypto';

import type { OutputType } from '@comfy-bridge/protocol';

import type { Backend } from '../backends/fleet.ts';
import type { ViewedFile } from '../comfy/comfy-client.ts';
import { ComfyError } from '../comfy/comfy-error.ts';
import { readOutputs, selectDelivered } from '../comfy/read-outputs.ts';
import type { OutputFile } from '../comfy/read-outputs.ts';
import type { ContentHash } from '../lib/content-hash.ts';
import type { FileKey } from '../files/file-store.ts';
import type { Job, JobResult } from '../jobs/job.ts';
import type { CollectOutcome, SuccessfulEnd } from './run-attempt.ts';

/** A result as the files layer stored it. */
export interface StoredResult {
  fileName: string;
  contentType: string;
  type: OutputType;
  size: number;
  hash: ContentHash;
}

export interface CollectDeps {
  /** Streams, checks and stores one file that a backend offers. */
  storeFile(
    source: ViewedFile,
    target: { fileName: string; key: FileKey },
    signal: AbortSignal,
  ): Promise<{ ok: true; result: StoredResult } | { ok: false; reason: string }>;
  storeText(
    text: string,
    key: FileKey,
  ): Promise<{ ok: true; result: StoredResult } | { ok: false; reason: string }>;
  removeResults(jobId: string): Promise<void>;
}

/** Files fetched from one backend at the same time. */
const parallel = 4;

/**
 * Fetches what a finished prompt produced into our own store, checked; the order of results is that of the outputs. All
 * or nothing: when one is refused or gone, none is kept.
 */
export async function collectOutputs(
  deps: CollectDeps,
  { job, backend, end }: { job: Job; backend: Backend; end: SuccessfulEnd },
  signal: AbortSignal,
): Promise<CollectOutcome> {
  const read = readOutputs(end.outputs, end.meta);
  const files = selectDelivered(read.files, job.outputNodes);
  const texts = read.texts.filter(({ nodeId }) => isDelivered(nodeId, job.outputNodes));
  const tasks = [
    ...files.map((file) => (index: number) => fetchFile(deps, { job, backend, file, index }, signal)),
    ...texts.map((text) => (index: number) => storeText(deps, { job, ...text, index })),
  ];
  if (tasks.length === 0) {
    return {
      ok: false,
      failure: {
        kind: 'execution-error',
        error: { code: 'no_results', message: 'the workflow ran but produced no result' },
      },
    };
  }
  const outcomes = await runInOrder(tasks, parallel);
  const failed = outcomes.find((outcome) => !outcome.ok);
  if (failed === undefined)
    return { ok: true, results: outcomes.flatMap((outcome) => (outcome.ok ? outcome.results : [])) };
  await deps.removeResults(job.id);
  return failed;
}

function isDelivered(nodeId: string, outputNodes: readonly string[]): boolean {
  return outputNodes.length === 0 || outputNodes.includes(nodeId);
}

async function fetchFile(
  deps: CollectDeps,
  { job, backend, file, index }: { job: Job; backend: Backend; file: OutputFile; index: number },
  signal: AbortSignal,
): Promise<CollectOutcome> {
  try {
    const { filename, subfolder, type } = file;
    const source = await backend.client.view({ filename, subfolder, type, signal });
    const target = { fileName: filename, key: resultKey(job.id, index) };
    const stored = await deps.storeFile(source, target, signal);
    if (!stored.ok) return { ok: false, failure: { kind: 'result-refused', reason: stored.reason } };
    return { ok: true, results: [toJobResult(stored.result, index, file.nodeId)] };
  } catch (error) {
    if (!(error instanceof ComfyError) || signal.aborted) throw error;
    const gone = error.failure === 'status' && error.status === 404;
    const reason = gone ? 'a result was no longer on the machine that made it' : error.message;
    return {
      ok: false,
      failure: gone ? { kind: 'result-refused', reason } : { kind: 'backend-lost', reason, vanished: false },
    };
  }
}

async function storeText(
  deps: CollectDeps,
  { job, nodeId, text, index }: { job: Job; nodeId: string; text: string; index: number },
): Promise<CollectOutcome> {
  const stored = await deps.storeText(text, resultKey(job.id, index));
  if (!stored.ok) return { ok: false, failure: { kind: 'result-refused', reason: stored.reason } };
  return { ok: true, results: [toJobResult(stored.result, index, nodeId)] };
}

function toJobResult(stored: StoredResult, index: number, nodeId: string): JobResult {
  const { fileName, contentType, type, size, hash } = stored;
  return { id: randomUUID(), index, nodeId, fileName, contentType, type, size, hash };
}

export function resultKey(jobId: string, index: number): FileKey {
  return `results/${jobId}/${index}`;
}

/** Runs the tasks with at most `limit` at a time; stops starting new ones once one has failed. */
async function runInOrder(
  tasks: readonly ((index: number) => Promise<CollectOutcome>)[],
  limit: number,
): Promise<CollectOutcome[]> {
  const outcomes: CollectOutcome[] = [];
  let next = 0;
  let failed = false;
  async function lane(): Promise<void> {
    while (next < tasks.length && !failed) {
      const index = next++;
      const outcome = await tasks[index]?.(index);
      if (outcome === undefined) return;
      outcomes[index] = outcome;
      failed ||= !outcome.ok;
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, tasks.length) }, lane));
  const thrown = lanes.find((lane) => lane.status === 'rejected');
  if (thrown !== undefined) throw thrown.reason;
  return outcomes.filter((outcome) => outcome !== undefined);
}
