import { BridgeError, JobCanceledError, JobFailedError } from './errors.ts';
import { followJob } from './follow-job.ts';
import type { FollowDeps, JobEvent, StatusUpdate } from './follow-job.ts';
import { toOutput, toOutputs } from './output.ts';
import type { Output, OutputDeps, ReadOptions } from './output.ts';
import { onAbort, orAbort } from './waiting.ts';
import type { Job, OutputType, Progress } from './wire.ts';

export interface Preview {
  /** A whole picture: `blob.type` is what kind. */
  blob: Blob;
  /** Of the workflow; empty when ComfyUI does not say. */
  nodeId: string;
}

/** What is told while a job runs. Whatever one of these throws ends the waiting, with that error. */
export interface Listeners<Type extends OutputType = OutputType> {
  onStatus?: ((status: StatusUpdate) => void) | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Pictures of what is being made; only `run` asks ComfyUI for them because of this. */
  onPreview?: ((preview: Preview) => void) | undefined;
  /** An output that is done while others are not. */
  onOutput?: ((output: Output<Type>) => void) | undefined;
}

export interface WaitOptions<Type extends OutputType = OutputType> extends Listeners<Type> {
  /** Stops the waiting at once. */
  signal?: AbortSignal | undefined;
  /** Rejects with `timed_out` when it takes longer. Default: no limit. */
  timeoutMs?: number | undefined;
}

export interface JobResult<Type extends OutputType = OutputType> {
  job: Job;
  outputs: Output<Type>[];
}

/** A job on the server. It goes on whether or not anybody holds its handle. */
export interface JobHandle<Type extends OutputType = OutputType> {
  readonly id: string;
  /** What happens to it, until its end; from the moment of the call on, after how it stands then. */
  events(options?: ReadOptions): AsyncIterable<JobEvent>;
  /** Waits for the end. Rejects with `JobFailedError`, `JobCanceledError` or another `BridgeError`. */
  result(options?: WaitOptions<Type>): Promise<JobResult<Type>>;
  /** Asks for its end; the job as it is then. A job that has ended stays as it is. */
  cancel(options?: ReadOptions): Promise<Job>;
  /** The job as it is now. */
  refresh(options?: ReadOptions): Promise<Job>;
}

export interface JobDeps extends FollowDeps, OutputDeps {}

export function createJobHandle(deps: JobDeps, id: string): JobHandle {
  return {
    id,
    events: ({ signal } = {}) => followJob(deps, id, signal),
    result: (options = {}) =>
      withTimeout(options, (signal) => waitForResult(deps, id, { ...options, signal })),
    cancel: (options) => cancelJob(deps, id, options),
    refresh: (options) => deps.http.json('GET', `api/bridge/jobs/${encodeURIComponent(id)}`, options),
  };
}

export function cancelJob(
  { http }: Pick<JobDeps, 'http'>,
  id: string,
  options?: ReadOptions & { retryMs?: number },
): Promise<Job> {
  return http.json('POST', `api/v2/jobs/${encodeURIComponent(id)}/cancel`, options);
}

async function waitForResult(deps: JobDeps, id: string, options: WaitOptions): Promise<JobResult> {
  const { signal } = options;
  const events = followJob(deps, id, signal);
  try {
    for (;;) {
      const next = await orAbort(events.next(), signal);
      if (!next.done) tell(deps, next.value, options);
      else return toResult(deps, next.value);
    }
  } finally {
    // Closes the stream where a listener has thrown; the end of an aborted one is not awaited.
    events.return(undefined as never).catch(() => {});
  }
}

/** Why a job that has ended did not end well; undefined when it did. */
export function failureOf(job: Job): BridgeError | undefined {
  if (job.status === 'canceled') return new JobCanceledError(job);
  return job.status === 'succeeded' ? undefined : new JobFailedError(job);
}

function toResult(deps: OutputDeps, job: Job): JobResult {
  const failure = failureOf(job);
  if (failure) throw failure;
  return { job, outputs: toOutputs(deps, job) };
}

function tell(deps: OutputDeps, { type, data }: JobEvent, listeners: Listeners): void {
  switch (type) {
    case 'status':
      return listeners.onStatus?.(data);
    case 'progress':
      return listeners.onProgress?.(data);
    case 'output':
      return listeners.onOutput?.(toOutput(deps, data));
    case 'preview': {
      if (listeners.onPreview === undefined) return;
      const bytes = Uint8Array.from(atob(data.data_base64), (character) => character.charCodeAt(0));
      const blob = new Blob([bytes], { type: data.content_type });
      listeners.onPreview({ blob, nodeId: data.node_id });
    }
  }
}

/** Runs `work` with a signal that is also aborted when the time is up. */
export async function withTimeout<T>(
  { signal, timeoutMs }: Pick<WaitOptions, 'signal' | 'timeoutMs'>,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return work(signal);
  const controller = new AbortController();
  const stop = onAbort(signal, () => controller.abort(signal?.reason));
  const timer = setTimeout(() => {
    controller.abort(new BridgeError('timed_out', `it was not done within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    stop();
  }
}
