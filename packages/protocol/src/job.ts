import { z } from 'zod';

/** The job vocabulary of Comfy API v2, so that one job object serves every API. */
export const jobStatusSchema = z.enum([
  'queued',
  'running',
  'succeeded',
  'canceling',
  'canceled',
  'failed',
  'expired',
]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

/** Complete per snapshot: one fully re-syncs a listener. */
export interface Progress {
  /** Overall fraction, 0 to 1; 1 only when all is done. Never falls within one attempt. */
  value: number;
  nodes_done: number;
  nodes_total: number;
  current_node: string | null;
  current_node_class: string | null;
  step: number | null;
  steps: number | null;
}

export const outputTypeSchema = z.enum(['image', 'video', 'audio', 'text', 'file', 'latent']);
export type OutputType = z.infer<typeof outputTypeSchema>;

/** Why a job failed, fit for a client: no path, no stack, no address. */
export interface JobError {
  code: JobErrorCode;
  message: string;
  node_id?: string | null;
  class_type?: string | null;
}

export type JobErrorCode =
  | 'invalid_workflow'
  | 'node_execution_error'
  | 'out_of_memory'
  | 'no_capable_backend'
  | 'backend_lost'
  | 'timed_out'
  | 'result_refused'
  | 'no_results'
  | 'interrupted'
  | 'internal';
