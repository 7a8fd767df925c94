import { randomUUID } from 'node:crypto';

import type { Progress } from '@comfy-bridge/protocol';

import type { Backend, SlotUse } from '../backends/fleet.ts';
import type { PromptRejection } from '../comfy/comfy-client.ts';
import { ComfyError } from '../comfy/comfy-error.ts';
import { toJobError, toJobErrorFromRejection } from '../comfy/describe-failure.ts';
import { createProgressTracker } from '../comfy/track-progress.ts';
import type { ComfyMessage } from '../comfy/comfy-messages.ts';
import type { ComfySocket } from '../comfy/comfy-socket.ts';
import { BridgeError } from '../errors.ts';
import type { Job, JobResult, RunPhase, StagedInput } from '../jobs/job.ts';
import type { Logger } from '../logging.ts';
import { createPromptFollower } from './follow-prompt.ts';
import type { FollowOptions, PromptEnd, PromptFollower } from './follow-prompt.ts';
import type { AttemptFailure } from './retry-policy.ts';
import { stageInputs } from './stage-inputs.ts';
import type { StagedFile } from './stage-inputs.ts';

export type AttemptEnd = { kind: 'succeeded'; results: JobResult[] } | { kind: 'canceled' } | AttemptFailure;

export type SuccessfulEnd = Extract<PromptEnd, { kind: 'success' }>;

export type CollectOutcome = { ok: true; results: JobResult[] } | { ok: false; failure: AttemptFailure };

/** What an attempt needs from the rest of the bridge, as functions. */
export interface AttemptDeps {
  openSource(source: StagedInput['source']): Promise<StagedFile>;
  openSocket(
    backend: Backend,
    clientId: string,
    handlers: { onMessage: (message: ComfyMessage) => void; onClose: () => void },
  ): Promise<ComfySocket>;
  collect(job: Job, backend: Backend, end: SuccessfulEnd, signal: AbortSignal): Promise<CollectOutcome>;
  onPhase(phase: RunPhase): void;
  onProgress(progress: Progress): void;
  onPreview(preview: Extract<ComfyMessage, { type: 'preview' }>): void;
  /** The backend's worker is done with the prompt: its slot can be given to the next job. */
  onExecuted(): void;
  wantsPreviews(): boolean;
  log: Logger;
  now: () => number;
}

/**
 * One attempt of a job on one backend: stage its uploads, submit the prompt under our id, follow it, collect its results.
 * Resolves with how it ended; aborting `signal` cancels the prompt, that one alone.
 */
export async function runAttempt(
  deps: AttemptDeps,
  { job, backend, slot, promptId }: { job: Job; backend: Backend; slot: SlotUse; promptId: string },
  options: FollowOptions & { signal: AbortSignal },
): Promise<AttemptEnd> {
  const { signal } = options;
  const clientId = randomUUID();
  const tracker = createProgressTracker(job.prompt, job.outputNodes);
  const follower = createPromptFollower(
    {
      backend,
      promptId,
      tracker,
      log: deps.log,
      now: deps.now,
      openSocket: (onMessage, onClose) => deps.openSocket(backend, clientId, { onMessage, onClose }),
      hooks: {
        onExecuting() {
          slot.executingSince = deps.now();
          deps.onPhase('executing');
        },
        onProgress: deps.onProgress,
        onPreview: deps.onPreview,
      },
    },
    options,
  );
  try {
    const submitted = await submit(deps, { job, backend, slot, promptId, clientId, follower, signal });
    if (submitted !== undefined) return submitted;
    const end = await follower.untilEnd(signal);
    follower.close();
    return await concludeAttempt(deps, { job, backend, promptId: follower.promptId(), end, signal });
  } catch (error) {
    if (signal.aborted) return await cancelThere(deps, backend, follower.promptId());
    if (error instanceof ComfyError) {
      // The prompt may have arrived although its answer did not: it must not run there for nobody.
      void cancelThere(deps, backend, follower.promptId());
      return { kind: 'backend-lost', reason: error.message };
    }
    // A refusal of our own, in words made for the client: an upload is gone, the disk is full.
    if (error instanceof BridgeError) {
      return { kind: 'execution-error', error: { code: 'internal', message: error.message } };
    }
    throw error;
  } finally {
    follower.close();
  }
}

interface SubmitContext {
  job: Job;
  backend: Backend;
  slot: SlotUse;
  promptId: string;
  clientId: string;
  follower: PromptFollower;
  signal: AbortSignal;
}

/** Undefined once the backend has accepted the whole prompt. */
async function submit(deps: AttemptDeps, context: SubmitContext): Promise<AttemptEnd | undefined> {
  const { job, backend, slot, promptId, clientId, follower, signal } = context;
  const [prompt] = await Promise.all([
    stageInputs(
      { client: backend.client, openSource: deps.openSource },
      job.prompt,
      job.stagedInputs,
      signal,
    ),
    follower.connect(),
  ]);
  slot.submitted = true;
  const previews = deps.wantsPreviews();
  const answer = await backend.client.submitPrompt({ prompt, promptId, clientId, previews, signal });
  if (!answer.ok) return toRejectedEnd(answer.rejection, job);
  follower.adopt(answer.promptId);
  if (answer.nodeErrors.length === 0) return undefined;
  // Some outputs were dropped and the rest would run: half a result helps nobody, another backend may do it whole.
  await backend.client.cancelPrompt(answer.promptId).catch(() => {});
  const { nodeErrors } = answer;
  const message = 'some outputs did not pass validation';
  return toRejectedEnd(
    { type: 'partial', message, details: '', nodeId: null, classType: null, nodeErrors },
    job,
  );
}

/** What one machine lacks, another may have: a node class, a model, a file. The rest is the prompt's own fault. */
const machineDependent = new Set(['value_not_in_list', 'custom_validation_failed']);

function toRejectedEnd(rejection: PromptRejection, job: Job): AttemptFailure {
  const nodeProblems = rejection.nodeErrors.flatMap((node) => node.errors);
  const missingNode = rejection.type === 'missing_node_type' || rejection.type === 'invalid_prompt';
  const elsewhere = missingNode || nodeProblems.some((problem) => machineDependent.has(problem.type));
  return { kind: 'rejected', error: toJobErrorFromRejection(rejection, job.prompt), elsewhere };
}

interface ConcludeContext {
  job: Job;
  backend: Backend;
  promptId: string;
  end: PromptEnd;
  signal: AbortSignal;
}

async function concludeAttempt(deps: AttemptDeps, context: ConcludeContext): Promise<AttemptEnd> {
  const { job, backend, promptId, end, signal } = context;
  switch (end.kind) {
    case 'success': {
      deps.onExecuted();
      deps.onPhase('collecting');
      const collected = await deps.collect(job, backend, end, signal);
      return collected.ok ? { kind: 'succeeded', results: collected.results } : collected.failure;
    }
    case 'error':
      return { kind: 'execution-error', error: toJobError(end.error, job.prompt) };
    case 'interrupted':
      return { kind: 'interrupted-there' };
    case 'lost':
      return { kind: 'backend-lost', reason: end.reason };
    case 'silent':
      await backend.client.cancelPrompt(promptId).catch((error: unknown) => {
        deps.log.warn({ backend: backend.name, promptId, err: error }, 'could not cancel a silent prompt');
      });
      return { kind: 'timed-out', afterMs: end.afterMs };
    case 'aborted':
      return cancelThere(deps, backend, promptId);
  }
}

async function cancelThere(deps: AttemptDeps, backend: Backend, promptId: string): Promise<AttemptEnd> {
  try {
    await backend.client.cancelPrompt(promptId);
  } catch (error) {
    deps.log.warn(
      { backend: backend.name, promptId, err: error },
      'could not cancel a prompt on its backend',
    );
  }
  return { kind: 'canceled' };
}
