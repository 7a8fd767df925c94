import type { Events } from '../../events.ts';
import { collectResult, storeTextResult } from '../../files/collect-result.ts';
import type { FilePolicy } from '../../files/collect-result.ts';
import type { FileStore } from '../../files/file-store.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { Logger } from '../../logging.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { createMemoryMeter } from './memory-meter.ts';
import { openSource } from './open-source.ts';
import { runAttempt } from './run-attempt.ts';
import { createRunOutputs } from './run-outputs.ts';
import type { OutputsRun } from './run-outputs.ts';
import type { AttemptEnd } from './run-attempt.ts';
import type { Experience } from '../experience.ts';
import type { AttemptRun } from './perform-attempt.ts';
import type { JobCredentials } from '../submit/job-credentials.ts';
import type { WarmSockets } from './warm-sockets.ts';

export interface AttemptRunnerDeps {
  ledger: JobLedger;
  events: Events;
  files: FileStore;
  workflows: WorkflowCatalog;
  policy: FilePolicy;
  experience: Experience;
  sockets: WarmSockets;
  credentials: JobCredentials;
  /** Whether previews of this job are to be made. */
  wantsPreviews(job: Job): boolean;
  log: Logger;
  now: () => number;
}

export interface AttemptRunnerOptions {
  inactivityMs: number;
  maxResultBytes: number;
  /** Of all results of one job. */
  maxJobResultBytes: number;
}

/** Joins an attempt to the files, workflows, ledger and events of this bridge. */
export function createAttemptRunner(
  deps: AttemptRunnerDeps,
  { inactivityMs, maxResultBytes, maxJobResultBytes }: AttemptRunnerOptions,
): (run: AttemptRun) => Promise<AttemptEnd> {
  const { ledger, events, files, policy, log, now } = deps;
  const store = { store: files, policy, maxBytes: maxResultBytes };

  function keepOutputs(run: OutputsRun) {
    const { id, attempt, workflow } = run.job;
    const { stripResults } = policy;
    const strip = stripResults === true || (stripResults !== false && stripResults.includes(workflow));
    return createRunOutputs(
      {
        storeFile(source, { maxBytes, ...target }, cut) {
          const context = { ...store, strip, maxBytes: Math.min(maxResultBytes, maxBytes) };
          return collectResult(context, { ...source, ...target }, cut);
        },
        maxTotalBytes: maxJobResultBytes,
        storeText: (text, key) => storeTextResult(store, { text, key }),
        exists: async (key) => (await files.stat(key)) !== undefined,
        remove: (key) => files.remove(key),
        onKept: (result) => ledger.reportOutput(id, attempt, result),
        onDropped: () => ledger.dropOutputs(id, attempt),
        log,
      },
      run,
    );
  }

  return async ({ signal, releaseSlot, couldRunElsewhere, turn, traces, isHedge, claim, ...attemptOf }) => {
    const { job, backend } = attemptOf;
    const { id, attempt } = job;
    const meter = createMemoryMeter({ client: backend.client });
    await using outputs = keepOutputs({ ...attemptOf, isHedge });
    return await runAttempt(
      {
        openSource: (source) => openSource(deps, source),
        claimInput: (name) => traces.claim(name),
        openSocket: (of, clientId, handlers) => deps.sockets.open(of, clientId, handlers),
        collect: (success, abort) => outputs.collect(success, abort),
        onShown: (nodeId, output) => outputs.take(nodeId, output),
        onPhase(phase) {
          if (phase === 'executing') meter.start();
          // What a second run does is nobody's business until it is first.
          if (isHedge) return;
          ledger.apply(id, { type: 'phase', attempt, phase, at: now() }).catch((error: unknown) => {
            log.warn({ jobId: id, err: error }, 'a phase was not written down');
          });
        },
        onProgress(progress) {
          if (!isHedge) ledger.reportProgress(id, attempt, progress);
        },
        onPreview({ image, contentType, node }) {
          if (!isHedge) events.emit('job:preview', { job, image, contentType, node: node ?? null });
        },
        onExecuted(longestGapMs) {
          meter.stop();
          deps.experience.hangs.record(job.workflow, longestGapMs);
          releaseSlot();
        },
        couldRunElsewhere,
        claim,
        peakMemoryBytes: () => meter.peakBytes(),
        turn,
        credentials: () => deps.credentials.read(job),
        wantsPreviews: () => !isHedge && deps.wantsPreviews(job),
        events,
        log,
        now,
      },
      attemptOf,
      {
        inactivityMs: Math.min(inactivityMs, deps.experience.hangs.limit(job.workflow) ?? inactivityMs),
        signal,
      },
    ).finally(() => meter.stop());
  };
}
