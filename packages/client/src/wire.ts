/**
 * What the bridge sends, as far as a client reads it. Written out here, so that a program which uses the client needs nothing
 * else of ours; a test holds them to the server's schemas.
 */

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'canceling' | 'canceled' | 'failed' | 'expired';

export type OutputType = 'image' | 'video' | 'audio' | 'text' | 'file' | 'latent';

/** A complete snapshot. */
export interface Progress {
  /** 0 to 1, of the whole job. */
  value: number;
  nodes_done: number;
  nodes_total: number;
  current_node?: string | null | undefined;
  current_node_class?: string | null | undefined;
  step?: number | null | undefined;
  steps?: number | null | undefined;
  /** Such as `KSampler 21/50`. */
  message?: string | null | undefined;
}

/** An output as the job object has it. */
export interface JobOutput {
  node_id: string;
  name: string;
  type: OutputType;
  content_type: string;
  size_bytes: number;
  /** Its id as an asset: it can be the input of another job. */
  id: string;
  hash: string | null;
  url: string;
  url_expires_at: string;
  job_id?: string | null | undefined;
}

/** Why a job failed. */
export interface JobFailure {
  code: string;
  message: string;
  node_id?: string | null | undefined;
  class_type?: string | null | undefined;
  traceback?: string | null | undefined;
}

/** A job as Comfy API v2 describes it. Times are ISO 8601. */
export interface Job {
  id: string;
  status: JobStatus;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  /** When it and its outputs are forgotten. */
  expires_at: string;
  /** How many are before it; null when it does not wait. */
  queue_position: number | null;
  progress: Progress | null;
  outputs: JobOutput[];
  error: JobFailure | null;
  metrics?: Record<string, number | null> | undefined;
  urls: { self: string; events: string; cancel: string };
}

/** A batch: the jobs of one `submitAll`. */
export interface Group {
  id: string;
  workflow: string;
  created_at: string;
  /** `queued` and `running` until all have ended. */
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired';
  /** 0 to 1: the mean of its jobs. */
  progress: number;
  total: number;
  counts: Record<'queued' | 'running' | 'succeeded' | 'failed' | 'canceled' | 'expired', number>;
  jobs: Job[];
  urls: { self: string; cancel: string };
}

export interface WorkflowEntry {
  alias: string;
  title: string;
  description: string;
  thumbnail: string | null;
  /** How many inputs a caller may set. */
  inputs: number;
  /** Whether there is a machine that has all it needs. */
  can_run: boolean;
  /** Whether one of those takes work now. */
  can_run_now: boolean;
  /** For people: why none runs it now; null when one does. */
  why_not: string | null;
  /** The kinds of files among its inputs. */
  media_in: ('image' | 'video' | 'audio' | 'mask')[];
  /** What it is likely to give; empty: anything. */
  output_types: OutputType[];
  urls: { self: string; jobs: string; thumbnail: string | null };
}

export interface WorkflowInput {
  /** What to call it in `inputs`. */
  name: string;
  key: string;
  label: string | null;
  title: string;
  description: string | null;
  type: 'str' | 'int' | 'float' | 'bool';
  /** The kind of file that it takes. */
  media: 'image' | 'video' | 'audio' | 'mask' | null;
  /** True: it must be sent. */
  required: boolean;
  default?: unknown;
}

export interface WorkflowDetail extends Omit<WorkflowEntry, 'inputs'> {
  inputs: WorkflowInput[];
  outputs: { node_id: string; title: string; types: OutputType[] }[];
  /** JSON Schema of `inputs`, by name. */
  input_schema: Record<string, unknown>;
  output_schema: Record<string, unknown>;
  /** Why no machine can run it; null when one can. */
  obstacles: string | null;
}

/** An uploaded file, or an output. */
export interface Asset {
  id: string;
  hash: string | null;
  size_bytes: number;
  content_type: string;
  file_path?: string | null | undefined;
  created_new?: boolean | undefined;
  created_at: string;
  url: string;
  url_expires_at: string;
  expires_at?: string | null | undefined;
  job_id?: string | null | undefined;
}

/** Whom to tell when the job has ended: a POST in the form of Standard Webhooks. */
export interface Webhook {
  url: string;
  /** `whsec_` and base64 of 24 to 64 bytes; default: the bridge's own. */
  secret?: string | undefined;
  events?: ('job.succeeded' | 'job.failed' | 'job.canceled')[] | undefined;
}

/** True for a state that nothing follows. */
export function isTerminal(status: JobStatus): boolean {
  return !['queued', 'running', 'canceling'].includes(status);
}
