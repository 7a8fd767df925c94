import type { Progress } from '@comfy-bridge/protocol';

import type { Backend, SlotUse } from '../../backends/fleet.ts';
import { noteAccepted } from '../../backends/lending.ts';
import { lacksInFailure, lacksInRejection } from '../../backends/suspicions.ts';
import type { CancelOutcome } from '../../comfy/cancel-prompt.ts';
import type { PromptRejection } from '../../comfy/comfy-client.ts';
import { ComfyError } from '../../comfy/comfy-error.ts';
import { toJobError, toJobErrorFromRejection } from '../../comfy/describe-failure.ts';
import { createProgressTracker } from '../../comfy/track-progress.ts';
import type { ComfyMessage } from '../../comfy/comfy-messages.ts';
import type { ComfySocket } from '../../comfy/comfy-socket.ts';
import { BridgeError } from '../../errors.ts';
import type { Events } from '../../events.ts';
import type { Job, JobResult, RunPhase, StagedInput } from '../../jobs/job.ts';
import { reachPoint } from '../../lib/crash-point.ts';
import type { Turn } from '../../lib/turns.ts';
import type { Logger } from '../../logging.ts';
import { toOwnSpelling } from '../../placement/own-spelling.ts';
import { createPromptFollower } from './follow-prompt.ts';
import type { FollowOptions, PromptFollower } from './follow-prompt.ts';
import type { PromptEnd } from './prompt-end.ts';
import type { AttemptFailure } from './retry-policy.ts';
import { stageInputs } from './stage-inputs.ts';
import type { StagedFile } from './stage-inputs.ts';
import { pausedByOwner, toWithheld, wasWithheld } from './withheld.ts';

export type AttemptEnd =
  /** `wasCached`: the backend had the heaviest part of it in its cache. `peakMemoryBytes`: 0 when it was too short to be looked at. */
  | { kind: 'succeeded'; results: JobResult[]; wasCached: boolean; peakMemoryBytes: number }
  | { kind: 'canceled' }
  /** The bridge stops: the prompt goes on, to be found again by the next process. */
  | { kind: 'released' }
  | AttemptFailure;

export type SuccessfulEnd = Extract<PromptEnd, { kind: 'success' }>;

export type CollectOutcome = { ok: true; results: JobResult[] } | { ok: false; failure: AttemptFailure };

/** What an attempt needs from the rest of the bridge, as functions. */
export interface AttemptDeps {
  openSource(source: StagedInput['source']): Promise<StagedFile>;
  /** Before a file of that name is put onto the backend. */
  claimInput(name: string): Promise<void>;
  openSocket(
    backend: Backend,
    clientId: string,
    handlers: { onMessage: (message: ComfyMessage) => void; onClose: () => void },
  ): Promise<ComfySocket>;
  collect(end: SuccessfulEnd, signal: AbortSignal): Promise<CollectOutcome>;
  onPhase(phase: RunPhase): void;
  onProgress(progress: Progress): void;
  onPreview(preview: Extract<ComfyMessage, { type: 'preview' }>): void;
  /** A node of the prompt has shown something, while the rest goes on. */
  onShown(nodeId: string, output: Record<string, unknown>): void;
  /** The backend's worker is done with the prompt: its slot can be given to the next job. */
  onExecuted(longestGapMs: number): void;
  couldRunElsewhere(): boolean;
  /** False when another run of the same job was first: its results are not wanted any more. */
  claim(): boolean;
  /** The most that the backend's ComfyUI was seen to use while it ran. */
  peakMemoryBytes(): number;
  /** Jobs placed on one backend hand in their prompts in that order. */
  turn: Turn;
  wantsPreviews(): boolean;
  /** Keys that came with the job; throws when it had some and they are gone. */
  credentials(): Readonly<Record<string, string>> | undefined;
  events: Events;
  log: Logger;
  now: () => number;
}

/** As much of a job as its prompt's way over a backend needs. */
export type AttemptJob = Pick<Job, 'prompt' | 'stagedInputs' | 'outputNodes'>;

export interface Attempt<J extends AttemptJob = Job> {
  job: J;
  backend: Backend;
  slot: SlotUse;
  promptId: string;
  /** True for an attempt of an earlier process of the bridge: its prompt is looked for and not submitted. */
  isTakenOver: boolean;
}

/** Collecting is a phase of its own only when it takes a while: for most jobs that is one change less to write down. */
const tellCollectingMs = 200;

/** Why an attempt is aborted: its job is canceled, or is to run elsewhere, or the bridge stops. */
export type AbortReason = 'cancel' | 'move' | 'release';

/**
 * One attempt of a job on one backend: stage its uploads, submit the prompt under our id, follow it, collect its results.
 * Resolves with how it ended. Aborting `signal` cancels the prompt, that one alone; with `release` it is left.
 */
export async function runAttempt(
  deps: AttemptDeps,
  attempt: Attempt<AttemptJob>,
  options: FollowOptions & { signal: AbortSignal },
): Promise<AttemptEnd> {
  const { backend, isTakenOver } = attempt;
  const since = deps.now();
  const end = await tryOnce(deps, attempt, options);
  if (end.kind !== 'interrupted-there' && end.kind !== 'backend-lost') return end;
  return (await wasWithheld(deps, backend, { end, since, isTakenOver })) ? pausedByOwner : end;
}

async function tryOnce(
  deps: AttemptDeps,
  attempt: Attempt<AttemptJob>,
  options: FollowOptions & { signal: AbortSignal },
): Promise<AttemptEnd> {
  const { job, backend, slot, promptId } = attempt;
  const { signal } = options;
  // Random and ours, like the prompt's own id; the same one, so that a later process can listen to what this one started.
  const clientId = promptId;
  const follower = createPromptFollower(
    {
      backend,
      promptId,
      tracker: createProgressTracker(job.prompt, job.outputNodes),
      log: deps.log,
      now: deps.now,
      openSocket: (onMessage, onClose) => deps.openSocket(backend, clientId, { onMessage, onClose }),
      hooks: {
        onExecuting() {
          slot.executingSince = deps.now();
          deps.onPhase('executing');
          reachPoint('prompt-executing');
        },
        onProgress(progress) {
          deps.onProgress(progress);
          reachPoint('prompt-progress');
        },
        onPreview: deps.onPreview,
        onShown({ node, displayNode, output }) {
          // A node that was made at run time belongs to one of the prompt; whose it is for sure, its history says.
          const nodeId = [node, displayNode].find((candidate) => Object.hasOwn(job.prompt, candidate));
          if (nodeId !== undefined && output !== null) deps.onShown(nodeId, output);
        },
        couldRunElsewhere: () => deps.couldRunElsewhere(),
      },
    },
    options,
  );
  try {
    if (attempt.isTakenOver) {
      slot.submitted = true;
      deps.turn.done();
    } else {
      const refused = await submit(deps, { ...attempt, clientId, follower, signal });
      if (refused !== undefined) return refused;
      reachPoint('prompt-submitted');
    }
    const end = await follower.untilEnd(signal);
    follower.close();
    reachPoint('prompt-ended');
    return await toAttemptEnd(deps, attempt, { end, follower, signal });
  } catch (error) {
    if (signal.aborted) return await giveUp(deps, backend, follower.promptId(), signal);
    if (error instanceof ComfyError) {
      // The prompt may have arrived although its answer did not: it must not run there for nobody.
      void cancelThere(deps, backend, follower.promptId());
      return { kind: 'backend-lost', reason: error.message, vanished: false };
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

interface SubmitContext extends Attempt<AttemptJob> {
  clientId: string;
  follower: PromptFollower;
  signal: AbortSignal;
}

/** Undefined once the backend has accepted the whole prompt. */
async function submit(deps: AttemptDeps, context: SubmitContext): Promise<AttemptEnd | undefined> {
  const { job, backend, slot, promptId, clientId, follower, signal } = context;
  const { client } = backend;
  const extraData = deps.credentials();
  const [staged] = await Promise.all([
    stageInputs({ ...deps, client }, { ...job, promptId }, signal),
    follower.connect(),
  ]);
  const prompt = toOwnSpelling(staged, backend.definitions);
  reachPoint('input-staged');
  await deps.turn.wait();
  signal.throwIfAborted();
  slot.submitted = true;
  const previews = deps.wantsPreviews();
  const answer = await client.submitPrompt({ prompt, promptId, clientId, previews, extraData, signal });
  deps.turn.done();
  if (!answer.ok && 'refusal' in answer) return toWithheld(deps, backend, answer.refusal);
  if (!answer.ok) return toRejectedEnd(answer.rejection, job, backend);
  noteAccepted(backend);
  slot.promptId = answer.promptId;
  follower.adopt(answer.promptId);
  if (answer.nodeErrors.length === 0) return undefined;
  // Some outputs were dropped and the rest would run: half a result helps nobody, another backend may do it whole.
  await client.cancelPrompt(answer.promptId).catch(() => {});
  const { nodeErrors } = answer;
  const message = 'some outputs did not pass validation';
  return toRejectedEnd(
    { type: 'partial', message, details: '', nodeId: null, classType: null, nodeErrors },
    job,
    backend,
  );
}

/** What one machine lacks, another may have: a node class, a model, a file. The rest is the prompt's own fault. */
const machineDependent = new Set(['value_not_in_list', 'custom_validation_failed']);

function toRejectedEnd(
  rejection: PromptRejection,
  { prompt }: AttemptJob,
  { definitions }: Backend,
): AttemptFailure {
  const nodeProblems = rejection.nodeErrors.flatMap((node) => node.errors);
  const missingNode = rejection.type === 'missing_node_type' || rejection.type === 'invalid_prompt';
  const elsewhere = missingNode || nodeProblems.some((problem) => machineDependent.has(problem.type));
  const error = toJobErrorFromRejection(rejection, prompt);
  return { kind: 'rejected', error, elsewhere, lacks: lacksInRejection(rejection, prompt, definitions) };
}

async function toAttemptEnd(
  deps: AttemptDeps,
  { job, backend, isTakenOver }: Attempt<AttemptJob>,
  { end, follower, signal }: { end: PromptEnd; follower: PromptFollower; signal: AbortSignal },
): Promise<AttemptEnd> {
  const promptId = follower.promptId();
  switch (end.kind) {
    case 'success': {
      deps.onExecuted(follower.longestGapMs());
      if (!deps.claim()) return { kind: 'canceled' };
      const late = setTimeout(() => deps.onPhase('collecting'), tellCollectingMs).unref();
      const collected = await deps.collect(end, signal).finally(() => clearTimeout(late));
      if (!collected.ok) return collected.failure;
      const { results } = collected;
      const wasCached = follower.wasCached();
      return { kind: 'succeeded', results, wasCached, peakMemoryBytes: deps.peakMemoryBytes() };
    }
    case 'error':
      return {
        kind: 'execution-error',
        error: toJobError(end.error, job.prompt),
        lacks: lacksInFailure(end.error, job.prompt, backend.definitions),
      };
    case 'interrupted':
      return { kind: 'interrupted-there' };
    case 'lost':
      if (isTakenOver && end.vanished) return { kind: 'not-there', reason: end.reason };
      if (!end.vanished) void cancelThere(deps, backend, promptId);
      return { kind: 'backend-lost', reason: end.reason, vanished: end.vanished };
    case 'taken-back':
      await cancelThere(deps, backend, promptId);
      return { kind: 'taken-back', reason: end.reason };
    case 'silent': {
      const outcome = await cancelThere(deps, backend, promptId);
      return { kind: 'timed-out', afterMs: end.afterMs, stuck: outcome !== 'canceled' };
    }
    case 'aborted':
      return giveUp(deps, backend, promptId, signal);
  }
}

async function giveUp(
  deps: AttemptDeps,
  backend: Backend,
  promptId: string,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  if (signal.reason === ('release' satisfies AbortReason)) return { kind: 'released' };
  await cancelThere(deps, backend, promptId);
  if (signal.reason === ('move' satisfies AbortReason)) {
    return { kind: 'taken-back', reason: 'it was to run elsewhere' };
  }
  return { kind: 'canceled' };
}

/** Undefined when the backend could not be asked. */
async function cancelThere(
  deps: AttemptDeps,
  backend: Backend,
  promptId: string,
): Promise<CancelOutcome | undefined> {
  try {
    return await backend.client.cancelPrompt(promptId);
  } catch (error) {
    deps.log.warn(
      { backend: backend.name, promptId, err: error },
      'could not cancel a prompt on its backend',
    );
    return undefined;
  }
}
