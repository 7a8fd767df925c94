import { BridgeError } from './errors.ts';
import { cancelGroup, createGroupHandle } from './group-handle.ts';
import type { GroupHandle, GroupWaitOptions, Settled } from './group-handle.ts';
import { createHttp } from './http.ts';
import { isSweep, toSideBySide } from './inputs.ts';
import type { AnyInputs, NewFile, Sweep } from './inputs.ts';
import { cancelJob, createJobHandle, withTimeout } from './job-handle.ts';
import type { JobDeps, JobHandle, JobResult, WaitOptions } from './job-handle.ts';
import type { OutputDeps, ReadOptions } from './output.ts';
import { submitInputs, takeBackMs, uploadNewFile } from './submit.ts';
import type { SubmitDeps, SubmitOptions } from './submit.ts';
import type { UploadOptions } from './upload.ts';
import type { Group, Job, OutputType, WorkflowDetail, WorkflowEntry } from './wire.ts';

export interface BridgeOptions {
  /** Where the bridge is, with the path it is served under: `https://example.org/comfy`. */
  url: string;
  /** Sent as `Authorization: Bearer`, to the bridge alone. */
  apiKey?: string | undefined;
  /** Default: the one of the platform. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds for which a request is repeated while the bridge cannot be reached or is busy. Default 30 000. */
  retryMs?: number | undefined;
  /** Milliseconds without a byte after which an event stream counts as dead. Default 45 000. */
  silenceMs?: number | undefined;
  /** Milliseconds between two looks at a job without a stream, or at a batch. Default 1000. */
  pollMs?: number | undefined;
  /** Bytes beyond which a file is uploaded in pieces. Default 64 MiB. */
  singleUploadBytes?: number | undefined;
}

/** What is known of workflows, by alias: `comfy-bridge-client types` writes it. */
export type WorkflowTypes = Record<string, { inputs: object; outputs: OutputType }>;

/** Any workflow, with any inputs. */
export type AnyWorkflows = Record<string, { inputs: AnyInputs; outputs: OutputType }>;

export interface RunOptions<Type extends OutputType = OutputType> extends SubmitOptions, WaitOptions<Type> {}

export interface BatchOptions {
  /** Several lists of a sweep: every combination (the default), or the first of each together, then the second, … */
  combine?: 'product' | 'zip' | undefined;
}

export interface SubmitAllOptions extends SubmitOptions, BatchOptions {}
export interface RunAllOptions<Type extends OutputType = OutputType>
  extends SubmitOptions, BatchOptions, GroupWaitOptions<Type> {}

/** Inputs for each job, or one set of inputs with lists in it. */
export type BatchInputs<Inputs> = readonly Inputs[] | Sweep<Inputs>;

/** One bridge, for a program. Every method rejects with a `BridgeError`, or with the reason of its signal. */
export interface Bridge<W extends { [A in keyof W]: WorkflowTypes[string] } = AnyWorkflows> {
  /** Runs a workflow and waits for its outputs. An abort, or the end of `timeoutMs`, cancels the job. */
  run<A extends keyof W & string>(
    alias: A,
    inputs: W[A]['inputs'],
    options?: RunOptions<W[A]['outputs']>,
  ): Promise<JobResult<W[A]['outputs']>>;
  /** Runs a workflow and does not wait for it. */
  submit<A extends keyof W & string>(
    alias: A,
    inputs: W[A]['inputs'],
    options?: SubmitOptions,
  ): Promise<JobHandle<W[A]['outputs']>>;
  /** Runs a workflow for each of several inputs, all of them or none, and waits until all have ended, well or not. */
  runAll<A extends keyof W & string>(
    alias: A,
    inputs: BatchInputs<W[A]['inputs']>,
    options?: RunAllOptions<W[A]['outputs']>,
  ): Promise<Settled<W[A]['outputs']>[]>;
  submitAll<A extends keyof W & string>(
    alias: A,
    inputs: BatchInputs<W[A]['inputs']>,
    options?: SubmitAllOptions,
  ): Promise<GroupHandle<W[A]['outputs']>>;
  /** A job that was submitted before, here or elsewhere. Nothing is asked of the server yet. */
  job(id: string): JobHandle;
  /** A batch that was submitted before. */
  group(id: string): GroupHandle;
  /** Uploads a file for use in several jobs: the id of the asset. */
  upload(file: NewFile, options?: UploadOptions): Promise<string>;
  workflows(options?: ReadOptions): Promise<WorkflowEntry[]>;
  workflow(alias: keyof W & string, options?: ReadOptions): Promise<WorkflowDetail>;
}

/** What Node.js can do and a browser cannot. */
export interface Platform {
  openFile: SubmitDeps['openFile'];
  writeFile: OutputDeps['writeFile'];
  /** Event streams that may be open at the same time. */
  maxStreams: number;
}

export function createClient(options: BridgeOptions, platform: Platform): Bridge {
  const deps: JobDeps & SubmitDeps = {
    http: createHttp({ ...options, retryMs: options.retryMs ?? 30_000 }),
    silenceMs: options.silenceMs ?? 45_000,
    pollMs: options.pollMs ?? 1_000,
    streams: { left: platform.maxStreams },
    singleUploadBytes: options.singleUploadBytes ?? 64 * 1024 * 1024,
    ...platform,
  };
  const briefly = { retryMs: takeBackMs };
  const takeBackJob = ({ id }: { id: string }) => cancelJob(deps, id, briefly);
  const takeBackGroup = ({ id }: { id: string }) => cancelGroup(deps, id, briefly);

  const bridge: Bridge = {
    async submit(alias, inputs, options = {}) {
      if (isSweep(inputs)) throw new BridgeError('invalid_input', 'lists are for runAll and submitAll');
      const job = await submitInputs<Job>(deps, { alias, inputs }, options, takeBackJob);
      return createJobHandle(deps, job.id);
    },
    async submitAll(alias, inputs, options = {}) {
      const group = await submitInputs<Group>(
        deps,
        await toBatch(alias, inputs, options),
        options,
        takeBackGroup,
      );
      return createGroupHandle(deps, group.id);
    },
    run: (alias, inputs, options = {}) =>
      withTimeout(options, async (signal) => {
        const previews = options.previews ?? (options.onPreview && true);
        const within = { ...options, previews, timeoutMs: undefined, signal };
        const job = await bridge.submit(alias, inputs, within);
        return orTakeBack(job, job.result(within), takeBackJob, within);
      }),
    runAll: (alias, inputs, options = {}) =>
      withTimeout(options, async (signal) => {
        const within = { ...options, timeoutMs: undefined, signal };
        const group = await bridge.submitAll(alias, inputs, within);
        return orTakeBack(group, group.results(within), takeBackGroup, within);
      }),
    job: (id) => createJobHandle(deps, id),
    group: (id) => createGroupHandle(deps, id),
    upload: (file, options = {}) => uploadNewFile(deps, file, options),
    async workflows(options) {
      const list = await deps.http.json<{ workflows: WorkflowEntry[] }>(
        'GET',
        'api/bridge/workflows',
        options,
      );
      return list.workflows;
    },
    workflow: (alias, options) =>
      deps.http.json('GET', `api/bridge/workflows/${encodeURIComponent(alias)}`, options),
  };

  /** A batch is made of lists. Entries that set nothing need one that names an input, to tell how many they are. */
  async function toBatch(
    alias: string,
    inputs: BatchInputs<AnyInputs>,
    { combine, signal }: SubmitAllOptions,
  ) {
    if (!isList(inputs) && isSweep(inputs)) return { alias, inputs, combine };
    const list = isList(inputs) ? inputs : [inputs];
    const lists = toSideBySide(list);
    if (Object.keys(lists).length > 0) return { alias, inputs: lists, combine: 'zip' as const };
    const [first] = (await bridge.workflow(alias, { signal })).inputs;
    if (list.length === 0 || first === undefined)
      throw new BridgeError('invalid_input', 'no inputs to make a batch of');
    return { alias, inputs: { [first.name]: { each: list.map(() => null) } } };
  }
  return bridge;
}

function isList(inputs: BatchInputs<AnyInputs>): inputs is readonly AnyInputs[] {
  return Array.isArray(inputs);
}

/** After an abort: cancels what runs on, without waiting for that, and rejects as before. */
async function orTakeBack<Made, Result>(
  made: Made,
  result: Promise<Result>,
  takeBack: (made: Made) => Promise<unknown>,
  { signal, leaveRunning }: SubmitOptions,
): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    if (signal?.aborted && !leaveRunning) takeBack(made).catch(() => {});
    throw error;
  }
}
