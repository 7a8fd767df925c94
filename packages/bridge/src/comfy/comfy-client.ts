import type { Readable } from 'node:stream';
import { createBackendConnector, type BackendConnectorOptions } from './backend-connector.ts';
import { type CancelOptions, type CancelOutcome, cancelPrompt, post } from './cancel-prompt.ts';
import type { ComfyEndpoint } from './comfy-endpoint.ts';
import { ComfyError } from './comfy-error.ts';
import { type ComfySocket, type ComfySocketOptions, openComfySocket } from './comfy-socket.ts';
import {
  type CallOptions,
  type BlockAnswer,
  type ComfyHttp,
  type ComfyHttpOptions,
  createComfyHttp,
  type HttpAnswer,
  MEGABYTE,
  parseJsonAnswer,
  unusableStatus,
} from './comfy-http.ts';
import { fetchDonorStatus, forgetFiles, type ForgetOutcome, type ForgetRequest } from './donor-routes.ts';
import type { DonorStatus } from './donor-status.ts';
import { fetchModelsFingerprint, type FingerprintOptions } from './models-fingerprint.ts';
import { toNumber, toRecord } from './read-fields.ts';
import { type PromptHistory, readHistory } from './read-history.ts';
import { type PromptQueue, readQueue } from './read-queue.ts';
import { type PromptSubmission, submitPrompt, type SubmitOutcome } from './submit-prompt.ts';
import { parseSystemStats, type SystemStats } from './system-stats.ts';
import { type InputUpload, uploadInput } from './upload-input.ts';

// What the client's answers are made of.
export type { PromptRejection } from './prompt-rejection.ts';
export type { PromptHistory } from './read-history.ts';

/** A file in one of the backend's folders, as its outputs name it. */
export interface ViewTarget extends CallOptions {
  filename: string;
  subfolder: string;
  type: 'output' | 'temp' | 'input';
}

export interface ViewedFile {
  contentType: string;
  /** bytes; absent where the backend does not say. */
  contentLength?: number;
  /** Consume or destroy it. Errors with `ComfyError`. */
  body: Readable;
}

export interface FreeRequest extends CallOptions {
  unloadModels: boolean;
  freeMemory: boolean;
}

/**
 * The HTTP routes of one ComfyUI. Every call has a deadline (the client's, where it has none of its own), can be given up by
 * a signal, and fails with `ComfyError` only.
 */
export interface ComfyClient {
  submitPrompt(submission: PromptSubmission): Promise<SubmitOutcome>;
  /**
   * Undefined while unknown or unfinished. `execution-success` comes before the history is written: ask on
   * `executing` with node null, or again. An answer beyond 16 MB is `too-large`.
   */
  history(promptId: string, signal?: AbortSignal): Promise<PromptHistory | undefined>;
  /** Heavy for the backend: every queued graph is sent. */
  queue(signal?: AbortSignal): Promise<PromptQueue>;
  /** Pending and running, of all clients. Cheap. */
  queueRemaining(signal?: AbortSignal): Promise<number>;
  cancelPrompt(promptId: string, options?: CancelOptions): Promise<CancelOutcome>;
  forgetPrompts(promptIds: readonly string[], signal?: AbortSignal): Promise<void>;
  /** What a machine that is lent says of that; undefined for a stock ComfyUI. */
  donorStatus(signal?: AbortSignal): Promise<DonorStatus | undefined>;
  /** On a machine that is lent: deletes what a prompt left there. */
  forgetFiles(request: ForgetRequest): Promise<ForgetOutcome>;
  /** Only asks: the backend frees between prompts. */
  free(request: FreeRequest): Promise<void>;
  systemStats(signal?: AbortSignal): Promise<SystemStats>;
  /** Empty on versions without `/features`. */
  features(signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** `/object_info` as it comes: heavy for the backend, which answers nobody else meanwhile. At most 64 MB. */
  objectInfo(signal?: AbortSignal): Promise<Pick<BlockAnswer, 'blocks' | 'size'>>;
  /** Changes when a model file comes or goes. Empty on versions that do not list them. */
  modelsFingerprint(options?: FingerprintOptions): Promise<string>;
  /** Resolves with the value to write into the graph. */
  uploadInput(upload: InputUpload): Promise<string>;
  /** A missing file is `status` 404: cached outputs may name files that are long gone. */
  view(target: ViewTarget): Promise<ViewedFile>;
  /** Its event stream. Closing the client leaves it open. */
  openSocket(options: Omit<ComfySocketOptions, 'endpoint' | 'connect'>): Promise<ComfySocket>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** So long a machine with many node packs may take to list them. */
const OBJECT_INFO_DEADLINE_MS = 60_000;

export interface ComfyClientOptions
  extends Omit<ComfyHttpOptions, 'connect'>, Omit<BackendConnectorOptions, 'timeoutMs'> {}

export function createComfyClient(
  endpoint: ComfyEndpoint,
  { addresses, resolveHost, ...options }: ComfyClientOptions = {},
): ComfyClient {
  const timeoutMs = options.connectTimeoutMs;
  const connect = createBackendConnector(endpoint, { timeoutMs, addresses, resolveHost });
  const http = createComfyHttp(endpoint, { ...options, connect });
  const support = { jobsApi: true };
  const queue = (call: CallOptions): Promise<PromptQueue> => fetchQueue(http, call);
  return {
    submitPrompt: (submission) => submitPrompt(http, submission),
    history: async (promptId, signal) => {
      const path = `/history/${encodeURIComponent(promptId)}`;
      return readHistory(await getJson(http, path, toCall(signal), 16 * MEGABYTE), promptId);
    },
    queue: (signal) => queue(toCall(signal)),
    queueRemaining: (signal) => fetchQueueRemaining(http, toCall(signal)),
    cancelPrompt: (promptId, cancel) => cancelPrompt({ http, readQueue: queue, support }, promptId, cancel),
    forgetPrompts: (promptIds, signal) => post(http, '/history', { delete: promptIds }, toCall(signal)),
    donorStatus: (signal) => fetchDonorStatus(http, toCall(signal)),
    forgetFiles: (request) => forgetFiles(http, request),
    free: ({ unloadModels, freeMemory, ...call }) =>
      post(http, '/free', { unload_models: unloadModels, free_memory: freeMemory }, call),
    systemStats: (signal) => fetchSystemStats(http, toCall(signal)),
    features: async (signal) => toRecord(await getJsonIfThere(http, '/features', toCall(signal))),
    objectInfo: (signal) => fetchObjectInfo(http, signal),
    modelsFingerprint: (call) => fetchModelsFingerprint(http, call),
    uploadInput: (upload) => uploadInput(http, upload),
    view: (target) => viewFile(http, target),
    openSocket: (socket) => openComfySocket({ ...socket, endpoint, connect }),
    close: () => http.close(),
    [Symbol.asyncDispose]: () => http.close(),
  };
}

function toCall(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}

async function getOk(
  http: ComfyHttp,
  path: string,
  call: CallOptions,
  maxBytes = MEGABYTE,
): Promise<HttpAnswer> {
  const answer = await http.send({ ...call, method: 'GET', path, maxBytes });
  if (answer.status !== 200) throw unusableStatus(answer.status, `GET ${path}`);
  return answer;
}

async function getJson(
  http: ComfyHttp,
  path: string,
  call: CallOptions,
  maxBytes?: number,
): Promise<unknown> {
  const json = parseJsonAnswer(await getOk(http, path, call, maxBytes), `GET ${path}`);
  if (json === null || typeof json !== 'object') throw notThatRoute(path);
  return json;
}

async function getJsonIfThere(http: ComfyHttp, path: string, call: CallOptions): Promise<unknown> {
  try {
    return await getJson(http, path, call);
  } catch (error) {
    if (error instanceof ComfyError && error.status === 404) return undefined;
    throw error;
  }
}

async function fetchQueue(http: ComfyHttp, call: CallOptions): Promise<PromptQueue> {
  const queue = readQueue(await getJson(http, '/queue', call, 64 * MEGABYTE));
  if (queue === undefined) throw notThatRoute('/queue');
  return queue;
}

async function fetchQueueRemaining(http: ComfyHttp, call: CallOptions): Promise<number> {
  const json = toRecord(await getJson(http, '/prompt', call));
  const remaining = toNumber(toRecord(json['exec_info'])['queue_remaining']);
  if (remaining === undefined) throw notThatRoute('/prompt');
  return remaining;
}

async function fetchSystemStats(http: ComfyHttp, call: CallOptions): Promise<SystemStats> {
  const stats = parseSystemStats(await getJson(http, '/system_stats', call));
  if (stats === undefined) throw notThatRoute('/system_stats');
  return stats;
}

async function fetchObjectInfo(
  http: ComfyHttp,
  signal: AbortSignal | undefined,
): Promise<Pick<BlockAnswer, 'blocks' | 'size'>> {
  const call = { ...toCall(signal), deadlineMs: OBJECT_INFO_DEADLINE_MS, maxBytes: 64 * MEGABYTE };
  const { status, ...answer } = await http.sendForBlocks({ ...call, method: 'GET', path: '/object_info' });
  if (status !== 200) throw unusableStatus(status, 'GET /object_info');
  return answer;
}

async function viewFile(http: ComfyHttp, target: ViewTarget): Promise<ViewedFile> {
  const { filename, subfolder, type, ...call } = target;
  const query = { filename, subfolder, type };
  const { status, body, ...rest } = await http.open({ ...call, method: 'GET', path: '/view', query });
  if (status === 200) return { ...rest, body };
  body.destroy();
  throw unusableStatus(status, 'GET /view');
}

function notThatRoute(path: string): ComfyError {
  return new ComfyError('malformed', `GET ${path}: not the answer of that route`, { status: 200 });
}
