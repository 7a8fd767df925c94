import { Readable } from 'node:stream';

import type { SlotUse } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { StagedInput } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import { runAttempt } from '../attempt/run-attempt.ts';
import type { AbortReason, AttemptEnd, CollectOutcome } from '../attempt/run-attempt.ts';
import type { Traces } from '../attempt/run-traces.ts';
import type { StagedFile } from '../attempt/stage-inputs.ts';
import type { WarmSockets } from '../attempt/warm-sockets.ts';
import { createPictureCollector } from './collect-pictures.ts';
import type { PictureLimits, PicturesOf } from './collect-pictures.ts';
import type { MadePicture } from './judge-canary.ts';

export interface TrialDeps {
  sockets: Pick<WarmSockets, 'newPromptId' | 'open'>;
  traces: Traces;
  events: Events;
  log: Logger;
  now: () => number;
}

export interface Trial<T> extends PicturesOf<T> {
  models: ReadonlySet<string>;
  openSource(source: StagedInput['source']): Promise<StagedFile>;
}

export interface TrialOptions extends PictureLimits {
  /** Of all, from the upload to the last picture. */
  deadlineMs: number;
  signal: AbortSignal;
}

export type TrialEnd<T> =
  | { kind: 'made'; pictures: readonly MadePicture<T>[] }
  /** A job came, or the bridge stops. */
  | { kind: 'given-up' }
  /** It was refused, failed, was lost or took too long: that says nothing of what its results are worth. */
  | { kind: 'unanswered'; reason: string };

const nothing = () => {};

/**
 * Runs a prompt of the bridge's own on a backend, by the very steps of a job's attempt, so that the backend sees no
 * difference: a random client id, an upload under a name made of it, the same requests in the same order, and what it leaves
 * is removed in the same way. It is no job: it holds no slot, nobody hears of it, and nothing is learned from what it took.
 */
export async function runTrial<T>(
  deps: TrialDeps,
  trial: Trial<T>,
  { signal, deadlineMs, ...limits }: TrialOptions,
): Promise<TrialEnd<T>> {
  const { backend, job, models } = trial;
  const promptId = deps.sockets.newPromptId(backend);
  const slot: SlotUse = {
    ...{
      jobId: promptId,
      workflow: '',
      executingSince: null,
      promptId: null,
      submitted: false,
      expectedMs: 0,
    },
    models,
  };
  let pictures: readonly MadePicture<T>[] = [];
  const stop = new AbortController();
  const giveUp = () => stop.abort('cancel' satisfies AbortReason);
  const deadline = setTimeout(giveUp, deadlineMs).unref();
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  const collector = createPictureCollector(trial, { ...limits, signal: stop.signal });
  using left = deps.traces.begin(backend);
  backend.trial = slot;
  try {
    const end = await runAttempt(
      {
        ...deps,
        openSource: (source) => trial.openSource(source),
        claimInput: (name) => left.claim(name),
        openSocket: (of, clientId, handlers) => deps.sockets.open(of, clientId, handlers),
        async collect(success, abort) {
          pictures = await collector.collect(success, abort);
          return { ok: true, results: [] } satisfies CollectOutcome;
        },
        onPhase() {
          if (models.size > 0) backend.warmModels = models;
        },
        onProgress: nothing,
        onPreview: nothing,
        onShown: (nodeId, output) => collector.take(nodeId, output),
        onExecuted: nothing,
        couldRunElsewhere: () => false,
        claim: () => true,
        peakMemoryBytes: () => 0,
        turn: { wait: async () => {}, done: nothing },
        wantsPreviews: () => false,
        credentials: () => undefined,
      },
      { job, backend, slot, promptId, isTakenOver: false },
      { inactivityMs: deadlineMs, signal: stop.signal },
    );
    if (signal.aborted) return { kind: 'given-up' };
    if (end.kind === 'succeeded') return { kind: 'made', pictures };
    return { kind: 'unanswered', reason: describeEnd(end, stop.signal.aborted) };
  } finally {
    clearTimeout(deadline);
    // What is still being fetched is of no use.
    giveUp();
    signal.removeEventListener('abort', giveUp);
    if (backend.trial === slot) backend.trial = undefined;
    left.forget(slot.promptId ?? promptId);
  }
}

/** One file: the bridge's own bytes, as a source of an attempt. */
export function toStagedFile(contentType: string, content: Buffer): StagedFile {
  return { contentType, size: content.length, open: async () => Readable.from([content]) };
}

function describeEnd(end: AttemptEnd, isLate: boolean): string {
  if (isLate) return 'it took too long';
  if ('error' in end) return end.error.message;
  if ('reason' in end) return end.reason;
  return end.kind;
}
