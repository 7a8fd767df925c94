import type { BridgeError } from './errors.ts';
import { createJobHandle, failureOf, withTimeout } from './job-handle.ts';
import type { JobDeps, JobHandle, JobResult, WaitOptions } from './job-handle.ts';
import { toOutputs } from './output.ts';
import type { ReadOptions } from './output.ts';
import { sleep } from './waiting.ts';
import { isTerminal } from './wire.ts';
import type { Group, Job, OutputType } from './wire.ts';

/** How one job of a batch ended. */
export type Settled<Type extends OutputType = OutputType> =
  | ({ ok: true } & JobResult<Type>)
  | { ok: false; job: Job; error: BridgeError };

export interface GroupWaitOptions<Type extends OutputType = OutputType> extends Pick<
  WaitOptions,
  'signal' | 'timeoutMs'
> {
  /** How the batch stands, whenever that has changed. */
  onProgress?: ((group: Group) => void) | undefined;
  /** Each job as it ends. */
  onResult?: ((result: Settled<Type>, index: number) => void) | undefined;
}

/** The jobs of one batch on the server. */
export interface GroupHandle<Type extends OutputType = OutputType> {
  readonly id: string;
  /** Waits until all have ended, well or not: results in the order of the inputs. */
  results(options?: GroupWaitOptions<Type>): Promise<Settled<Type>[]>;
  /** Its jobs, as handles of their own. */
  jobs(options?: ReadOptions): Promise<JobHandle<Type>[]>;
  cancel(options?: ReadOptions): Promise<Group>;
  refresh(options?: ReadOptions): Promise<Group>;
}

export function createGroupHandle(deps: JobDeps, id: string): GroupHandle {
  const link = `api/bridge/groups/${encodeURIComponent(id)}`;
  const refresh = (options?: ReadOptions) => deps.http.json<Group>('GET', link, options);
  return {
    id,
    refresh,
    results: (options = {}) =>
      withTimeout(options, (signal) => waitForAll(deps, refresh, { ...options, signal })),
    jobs: async (options) => (await refresh(options)).jobs.map((job) => createJobHandle(deps, job.id)),
    cancel: (options) => cancelGroup(deps, id, options),
  };
}

export function cancelGroup(
  { http }: Pick<JobDeps, 'http'>,
  id: string,
  options?: ReadOptions & { retryMs?: number },
): Promise<Group> {
  return http.json('POST', `api/bridge/groups/${encodeURIComponent(id)}/cancel`, options);
}

/** A look at the whole batch now and then: a thousand streams would be more than a server gives to one client. */
async function waitForAll(
  deps: JobDeps,
  refresh: (options: ReadOptions) => Promise<Group>,
  { signal, onProgress, onResult }: GroupWaitOptions,
): Promise<Settled[]> {
  const settled = new Map<string, Settled>();
  let told = '';
  for (;;) {
    const group = await refresh({ signal });
    const state = JSON.stringify([group.progress, group.counts]);
    if (state !== told) onProgress?.(group);
    told = state;
    for (const [index, job] of group.jobs.entries()) {
      if (settled.has(job.id) || !isTerminal(job.status)) continue;
      const result = settle(deps, job);
      settled.set(job.id, result);
      onResult?.(result, index);
    }
    if (group.status !== 'queued' && group.status !== 'running') {
      return group.jobs.flatMap(({ id }) => settled.get(id) ?? []);
    }
    await sleep(deps.pollMs, signal);
  }
}

function settle(deps: JobDeps, job: Job): Settled {
  const error = failureOf(job);
  return error ? { ok: false, job, error } : { ok: true, job, outputs: toOutputs(deps, job) };
}
