import type { FileKey, FileStore } from './file-store.ts';

export interface SweepOptions {
  /** An upload that was not used for this long is removed, in ms. */
  uploadTtlMs: number;
  /** A result must be this old before it can be an orphan, in ms: its job is recorded only after its files. */
  orphanGraceMs: number;
  /** True while an unfinished job names the upload. */
  isUploadInUse(savedName: string): boolean;
  /** Whether a job of this id is known and its results with it: all of them, none, or those with these indexes. */
  isResultKnown(jobId: string): Promise<boolean | ReadonlySet<number>>;
  /** ms since the epoch */
  now: number;
  /** Stops between two files. */
  signal?: AbortSignal;
}

export interface SweptFiles {
  uploads: number;
  results: number;
  /** Files that could not be looked at or removed; the next sweep tries again. */
  failed: number;
}

/** Answers that are remembered at a time. */
const maxAnswers = 10_000;

/** Removes expired uploads, and results that belong to no job. One bad file never keeps the others from being swept. */
export async function sweepFiles(
  { store }: { store: FileStore },
  options: SweepOptions,
): Promise<SweptFiles> {
  const { uploadTtlMs, orphanGraceMs, now } = options;
  const swept: SweptFiles = { uploads: 0, results: 0, failed: 0 };

  async function sweep(
    kind: 'uploads' | 'results',
    maxAgeMs: number,
    isNeeded: (name: string, index: string) => Promise<boolean>,
  ) {
    for await (const { key, modifiedAt } of store.list(kind)) {
      if (options.signal?.aborted === true) return;
      if (now - modifiedAt.getTime() < maxAgeMs) continue;
      try {
        const [, name = '', index = ''] = key.split('/');
        if (await isNeeded(name, index)) continue;
        if (await removeIfStillOld(store, key, now - maxAgeMs)) swept[kind] += 1;
      } catch {
        // Counted; the caller reports it and sweeps again later.
        swept.failed += 1;
      }
    }
  }

  // The files of one job come anywhere in the list: one question does for all of them.
  const answers = new Map<string, Promise<boolean | ReadonlySet<number>>>();
  await sweep('uploads', uploadTtlMs, (savedName) => Promise.resolve(options.isUploadInUse(savedName)));
  await sweep('results', orphanGraceMs, async (jobId, index) => {
    const answer = answers.get(jobId) ?? options.isResultKnown(jobId);
    if (answers.size >= maxAnswers) answers.clear();
    answers.set(jobId, answer);
    const known = await answer;
    return typeof known === 'boolean' ? known : known.has(Number(index));
  });
  return swept;
}

/** A file may have been used since it was listed. */
async function removeIfStillOld(store: FileStore, key: FileKey, before: number): Promise<boolean> {
  const found = await store.stat(key);
  if (found === undefined || found.modifiedAt.getTime() > before) return false;
  await store.remove(key);
  return true;
}
