import type { Events } from '../../events.ts';
import type { FileStore } from '../../files/file-store.ts';
import { sweepFiles } from '../../files/sweep-files.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobStore } from '../../jobs/job-store.ts';
import { createRunningState } from '../../lib/running-state.ts';
import type { Logger } from '../../logging.ts';
import { expireJobs, keptResults } from './expire-jobs.ts';

export interface HousekeepingDeps {
  ledger: JobLedger;
  store: JobStore;
  events: Events;
  files: FileStore;
  assets: {
    /** True while an asset names the file, or a job may be about to. */
    isUploadInUse(savedName: string): boolean;
    /** Removes expired assets, files that no asset names any more, and given-up uploads. */
    sweep(isUsedByJob: (savedName: string) => boolean): Promise<void>;
  };
  log: Logger;
  now: () => number;
}

export interface HousekeepingOptions {
  resultTtlMs: number;
  uploadTtlMs: number;
  /** Between rounds; default a minute. */
  everyMs?: number;
}

/** Results of no living job are left alone for this long: a clock may be off, a job may just have ended. */
const orphanGraceMs = 60_000;

export interface Housekeeping {
  /** Once the jobs of an earlier run are known. */
  start(): void;
  stop(): Promise<void>;
}

/** Removes what nobody needs any more: delivered and expired results at once, uploads and orphans in rounds. */
export function createHousekeeping(deps: HousekeepingDeps, options: HousekeepingOptions): Housekeeping {
  const { ledger, store, events, files, assets, log, now } = deps;
  const running = createRunningState();
  const removals = new Set<Promise<void>>();

  function removeResults(job: Job, results: readonly JobResult[]): void {
    const removal = (async () => {
      for (const { index } of results) await files.remove(`results/${job.id}/${index}`);
    })()
      .catch((error: unknown) => log.warn({ err: error, jobId: job.id }, 'could not remove results'))
      .finally(() => removals.delete(removal));
    removals.add(removal);
  }

  async function round(orphanGraceMs: number): Promise<void> {
    await expireJobs({ ledger, store, events, now }, options);
    const inUse = namesInUse(ledger.unfinished());
    await assets.sweep((savedName) => inUse.has(savedName));
    await sweepFiles(
      { store: files },
      {
        uploadTtlMs: options.uploadTtlMs,
        isUploadInUse: (savedName) => inUse.has(savedName) || assets.isUploadInUse(savedName),
        isResultKnown: async (jobId) => keptResults(await ledger.get(parseJobId(jobId))),
        now: now(),
        orphanGraceMs,
      },
    );
  }

  async function run(): Promise<void> {
    // What a crash left behind is nobody's: no attempt is under way yet whose job is not known.
    let graceMs = 0;
    while (running.shouldRun()) {
      await round(graceMs).catch((error: unknown) => log.error({ err: error }, 'housekeeping failed'));
      graceMs = orphanGraceMs;
      await running.sleep(options.everyMs ?? 60_000);
    }
  }

  const unsubscribe = [
    events.on('job:delivered', ({ job }) => {
      if (job.state.status === 'succeeded') removeResults(job, job.state.results);
    }),
  ];
  let done: Promise<void> = Promise.resolve();
  return {
    start() {
      done = run();
    },
    async stop() {
      unsubscribe.forEach((off) => off());
      running.stop();
      await done;
      await Promise.all(removals);
    },
  };
}

function namesInUse(jobs: Iterable<Job>): Set<string> {
  const names = new Set<string>();
  for (const { stagedInputs } of jobs) {
    for (const { source } of stagedInputs) if (source.kind === 'upload') names.add(source.savedName);
  }
  return names;
}
