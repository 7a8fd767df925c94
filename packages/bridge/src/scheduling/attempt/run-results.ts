import { createHash } from 'node:crypto';

import type { OutputType } from '@comfy-bridge/protocol';

import type { Backend } from '../../backends/fleet.ts';
import type { ViewedFile } from '../../comfy/comfy-client.ts';
import { ComfyError } from '../../comfy/comfy-error.ts';
import type { OutputFile } from '../../comfy/read-outputs.ts';
import type { FileKey } from '../../files/file-store.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { ContentHash } from '../../lib/content-hash.ts';
import { createGate } from '../../lib/gate.ts';
import type { AttemptFailure } from './retry-policy.ts';

/** A result as the files layer stored it. */
export interface StoredResult {
  fileName: string;
  contentType: string;
  type: OutputType;
  size: number;
  hash: ContentHash;
}

type StoreOutcome = { ok: true; result: StoredResult } | { ok: false; reason: string };

export interface RunResultsDeps {
  /** Streams, checks and stores one file that a backend offers. */
  storeFile(
    source: ViewedFile,
    target: { fileName: string; key: FileKey; maxBytes: number },
    signal: AbortSignal,
  ): Promise<StoreOutcome>;
  storeText(text: string, key: FileKey): Promise<StoreOutcome>;
  exists(key: FileKey): Promise<boolean>;
  remove(key: FileKey): Promise<void>;
  /** Of all results of one run together. */
  maxTotalBytes: number;
}

export type KeepOutcome = { ok: true; result: JobResult } | { ok: false; failure: AttemptFailure };

/** What one run of a job's prompt has put into our own store. */
export interface RunResults {
  /** Fetches a file from the backend, checked. Rejects when `signal` aborts, or the disk is full. */
  fetchFile(file: OutputFile, signal: AbortSignal): Promise<KeepOutcome>;
  /** `position`: among the texts of this run. */
  keepText(said: { nodeId: string; text: string; position: number }): Promise<KeepOutcome>;
  /** Removes what this run has kept beside these. Files of other runs are left alone. */
  keepOnly(results: readonly JobResult[]): Promise<void>;
  /** Removes what runs of an earlier process have left, of which none goes on. */
  removeEarlier(): Promise<void>;
}

/** Files fetched from one backend for one run at the same time. */
const parallel = 4;
/** A fetch that takes longer does not hold up the others. */
const patienceMs = 600_000;
const tooMuch = "the results together are larger than a job's may be";
/** Room for the files of one run, and for so many runs; together they stay below the nine digits of a file's key. */
const stride = 10_000;
const runs = 100_000;
/** Earlier runs that are looked for. What they left is found by its numbers; what is missed is swept when its job has ended. */
const maxEarlier = 20;

/**
 * The files of a run are numbered from a place of its own: each run of a job begins with a change of it, whether that is its
 * assignment, its second run or its finding by a new process, so the count of changes tells runs apart, over restarts too.
 * A result's id follows from what made it: a new process that fetches it again gives it the same one.
 */
export function createRunResults(
  deps: RunResultsDeps,
  { job, backend, promptId }: { job: Job; backend: Backend; promptId: string },
): RunResults {
  const gate = createGate({ limit: parallel, patienceMs });
  const first = firstIndex(job.revision);
  const used = new Set<number>();
  let totalBytes = 0;

  /** Several are fetched at the same time, so it is asked again when one is here. */
  function isTooMuch(moreBytes: number): boolean {
    totalBytes += moreBytes;
    return totalBytes > deps.maxTotalBytes;
  }

  function nextIndex(): number {
    const index = first + used.size;
    used.add(index);
    return index;
  }

  function toResult(stored: StoredResult, from: { index: number; nodeId: string; id: string }): JobResult {
    const { fileName, contentType, type, size, hash } = stored;
    return { ...from, fileName, contentType, type, size, hash };
  }

  async function fetchNow(file: OutputFile, signal: AbortSignal): Promise<KeepOutcome> {
    const { nodeId, filename, subfolder, type } = file;
    const index = nextIndex();
    try {
      if (isTooMuch(0)) return refused(tooMuch);
      const source = await backend.client.view({ filename, subfolder, type, signal });
      const maxBytes = deps.maxTotalBytes - totalBytes;
      const target = { fileName: filename, key: resultKey(job.id, index), maxBytes };
      const stored = await deps.storeFile(source, target, signal);
      if (!stored.ok) return refused(stored.reason);
      if (isTooMuch(stored.result.size)) return refused(tooMuch);
      const id = deriveId([job.id, promptId, nodeId, type, subfolder, filename]);
      return { ok: true, result: toResult(stored.result, { index, nodeId, id }) };
    } catch (error) {
      if (!(error instanceof ComfyError) || signal.aborted) throw error;
      if (error.failure === 'status' && error.status === 404)
        return refused('a result was no longer on the machine that made it');
      return { ok: false, failure: { kind: 'backend-lost', reason: error.message, vanished: false } };
    }
  }

  return {
    async fetchFile(file, signal) {
      const leave = await gate.enter(signal);
      return fetchNow(file, signal).finally(leave);
    },
    async keepText({ nodeId, text, position }) {
      const index = nextIndex();
      const stored = await deps.storeText(text, resultKey(job.id, index));
      if (!stored.ok) return refused(stored.reason);
      if (isTooMuch(stored.result.size)) return refused(tooMuch);
      const id = deriveId([job.id, promptId, nodeId, 'text', String(position)]);
      return { ok: true, result: toResult(stored.result, { index, nodeId, id }) };
    },
    async keepOnly(results) {
      const kept = new Set(results.map(({ index }) => index));
      for (const index of used) if (!kept.has(index)) await deps.remove(resultKey(job.id, index));
    },
    async removeEarlier() {
      for (let revision = Math.max(1, job.revision - maxEarlier); revision < job.revision; revision += 1) {
        // Of those fetched at the same time, the first ones may be missing.
        for (let index = firstIndex(revision), missing = 0; missing < parallel; index += 1) {
          const key = resultKey(job.id, index);
          if (await deps.exists(key)) await deps.remove(key);
          else missing += 1;
        }
      }
    },
  };
}

function firstIndex(revision: number): number {
  return (Math.max(0, revision - 1) % runs) * stride;
}

function refused(reason: string): KeepOutcome {
  return { ok: false, failure: { kind: 'result-refused', reason } };
}

function resultKey(jobId: string, index: number): FileKey {
  return `results/${jobId}/${index}`;
}

/** A UUID (version 8) that is always the same for these. As hard to guess as the random ids among them. */
function deriveId(parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
